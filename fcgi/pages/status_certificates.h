#ifndef FCGI_PAGES_STATUS_CERTIFICATES_H
#define FCGI_PAGES_STATUS_CERTIFICATES_H

#include "fcgi/pages/status_data.h"

/* Certificates: a form to find them, and those that were found. */
void status_certificates_put(const struct status_data *status);

#endif

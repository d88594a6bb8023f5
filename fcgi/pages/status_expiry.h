#ifndef FCGI_PAGES_STATUS_EXPIRY_H
#define FCGI_PAGES_STATUS_EXPIRY_H

#include "fcgi/pages/status_data.h"

/* Expiry: a time line of our own certificates and lists, and of the active certificates. */
void status_expiry_put(const struct status_data *status);

#endif

#ifndef FCGI_PAGES_STATUS_UNFINISHED_H
#define FCGI_PAGES_STATUS_UNFINISHED_H

#include "fcgi/pages/status_data.h"

/* Unfinished: causes, events and uploads that are pending or have failed. */
void status_unfinished_put(const struct status_data *status);

#endif

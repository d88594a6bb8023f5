#ifndef FCGI_PAGES_STATUS_RECENT_H
#define FCGI_PAGES_STATUS_RECENT_H

#include "fcgi/pages/status_data.h"

/* Recent events: the latest ones, and the time that each step took. */
void status_recent_put(const struct status_data *status);

#endif

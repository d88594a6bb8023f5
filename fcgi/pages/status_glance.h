#ifndef FCGI_PAGES_STATUS_GLANCE_H
#define FCGI_PAGES_STATUS_GLANCE_H

#include "fcgi/pages/status_data.h"

/* Returns true if nothing needs attention. */
bool status_glance_is_well(const struct status_data *status);

/* At a glance: the verdict, what needs attention, and figures. */
void status_glance_put(const struct status_data *status);

#endif

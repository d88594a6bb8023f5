#ifndef FCGI_PAGES_STATUS_PEERS_H
#define FCGI_PAGES_STATUS_PEERS_H

#include "fcgi/pages/status_data.h"

/* CA and gateways: their state by their latest answers; none is asked. */
void status_peers_put(const struct status_data *status);

#endif

#ifndef CHECK_WEB_NGINX_H
#define CHECK_WEB_NGINX_H

#include "check/web_place.h"

/*
 * Calls found for each place where nginx passes requests on to the handler. Reads nginx.conf in dir
 * (absolute), the folders that it includes by wildcards, which take over what http { } says, and
 * what is included by name beneath dir.
 */
void web_nginx_places(const char *dir, web_place_found *found, void *ctx);

#endif

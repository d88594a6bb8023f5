#ifndef CHECK_WEB_APACHE_H
#define CHECK_WEB_APACHE_H

#include "check/web_place.h"

/*
 * Calls found for each virtual host, and each file outside of one, where Apache passes requests on
 * to the handler. dir: absolute.
 */
void web_apache_places(const char *dir, web_place_found *found, void *ctx);

#endif

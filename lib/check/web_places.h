#ifndef CHECK_WEB_PLACES_H
#define CHECK_WEB_PLACES_H

#include "check/finding.h"

/* Judges each place in dir where requests are passed on to the handler; reports faults only. */
void check_web_places(struct check *c, const char *dir);

#endif

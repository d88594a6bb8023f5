#ifndef UEM_EVENT_TIME_H
#define UEM_EVENT_TIME_H

#include <stdint.h>

/*
 * Seconds since 1970, UTC, of a time as UEM writes it: ISO 8601 with any
 * number of fraction digits, with Z, an offset or none (then it is UTC), or
 * "/Date(MILLISECONDS)/". 0 for anything else and for what lies before 1970:
 * an event is never lost for its time.
 */
int64_t event_time_parse(const char *s);

#endif

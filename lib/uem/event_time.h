#ifndef UEM_EVENT_TIME_H
#define UEM_EVENT_TIME_H

#include <stdint.h>

/*
 * Seconds since 1970, UTC, of a time in an event: ISO 8601 with any number of fraction digits, with
 * Z, an offset or none (then it is UTC), or "/Date(MILLISECONDS)/". 0 for anything else and for
 * what lies before 1970: an event is never lost for its time.
 */
int64_t event_time_parse(const char *s);

/* The same, in answers of UEM: also a date alone, and "4/2/2026 7:38:11 AM" (month first). */
int64_t uem_time_parse(const char *s);

#endif

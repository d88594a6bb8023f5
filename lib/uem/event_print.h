#ifndef UEM_EVENT_PRINT_H
#define UEM_EVENT_PRINT_H

#include "base/buf.h"
#include "uem/event.h"

/*
 * Prints what is known of an event as JSON, which event_parse() makes an equal event of, its damage
 * included. Unknown fields, and those longer than allowed, are left out. buf_check() is the
 * caller's.
 */
void event_print(const struct event *event, struct buf *out);

#endif

#ifndef STORE_HOLDER_H
#define STORE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The name of a process, as a lease has it: "BOOT PID-NAMESPACE PID START", where START is field
 * 22 of /proc/PID/stat (proc(5)). No other process of this machine ever has the same.
 */
#define HOLDER_SIZE 128

/* Names this process. "": there is no name; then its leases only end by their time. */
void holder_self(char out[HOLDER_SIZE]);

/* True if it was a process of this machine, as we see it, and has ended. */
bool holder_is_gone(const char *holder);

#endif

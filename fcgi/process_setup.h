#ifndef FCGI_PROCESS_SETUP_H
#define FCGI_PROCESS_SETUP_H

#include <sys/types.h>

/*
 * Called first in a child process: from then on the kernel sends it the signal when the parent
 * dies. If the parent is dead already, the child ends at once.
 */
void process_setup_child(pid_t parent, int signal);

/*
 * Called first in main(): opens descriptors 0 to 2 if they are closed, forbids core dumps, limits
 * memory, sets umask 077 and the default actions of signals.
 */
void process_setup(void);

#endif

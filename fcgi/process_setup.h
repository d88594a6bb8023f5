#ifndef FCGI_PROCESS_SETUP_H
#define FCGI_PROCESS_SETUP_H

#include <sys/types.h>

/*
 * In a child, first thing: the kernel sends it the signal when the parent dies. If that
 * is dead by now the child ends at once.
 */
void process_setup_child(pid_t parent, int signal);

/*
 * Before anything else: descriptors 0 to 2 are open, no core dumps, files that
 * we make are ours alone, signals as they are by default.
 */
void process_setup(void);

#endif

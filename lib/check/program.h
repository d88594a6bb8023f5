#ifndef CHECK_PROGRAM_H
#define CHECK_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Finds a program by name in PATH, then in the folders of system programs, which not every user
 * has in PATH. False: there is none.
 */
bool program_find(const char *name, char path[PATH_MAX]);

/*
 * Runs it with a plain environment (PATH, LC_ALL=C, and extra, "NAME=value" or NULL) and adds what
 * it says on both outputs to out. Returns its exit status; -1: it could not be run, or was not done
 * in time.
 */
int program_run(const char *path, const char *const *arguments, const char *extra, struct buf *out);

#endif

#ifndef BASE_PATIENCE_H
#define BASE_PATIENCE_H

#include <stdbool.h>

/*
 * A function that a process runs while it waits for another machine or program: each wait that may
 * be long calls patience_look() about once a second. It must not start such a wait itself. False:
 * the wait may be given up.
 */
typedef bool patience(void *ctx);

void patience_set(patience *look, void *ctx); /* NULL: nothing any more */
bool patience_look(void);

#endif

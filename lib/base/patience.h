#ifndef BASE_PATIENCE_H
#define BASE_PATIENCE_H

#include <stdbool.h>

/*
 * A function that a process runs while it waits for another machine or program: each wait that may
 * be long calls patience_look() about once a second. The function must not start such a wait
 * itself. It returns false if the wait may be given up.
 */
typedef bool patience(void *ctx);

void patience_set(patience *look, void *ctx); /* NULL: none */
bool patience_look(void);

#endif

/* The function that is called during long waits. Only the handler sets one. */
#include "base/patience.h"

#include <stddef.h>

static patience *wanted;
static void *wanted_ctx;

void patience_set(patience *look, void *ctx)
{
	wanted = look;
	wanted_ctx = ctx;
}

bool patience_look(void)
{
	return !wanted || wanted(wanted_ctx);
}

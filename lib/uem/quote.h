#ifndef UEM_QUOTE_H
#define UEM_QUOTE_H

#include <stddef.h>

#include "config/config.h"
#include "net/excerpt.h"

/*
 * An excerpt of what UEM or its token server said, as excerpt(), without our secrets: UEM quotes
 * the tenant code that it rejects, and such a code may be short.
 */
void uem_quote(const struct config *config, const void *said, size_t len, char out[EXCERPT_SIZE]);

#endif

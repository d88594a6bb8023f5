#ifndef UEM_UUID_SET_H
#define UEM_UUID_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* A set of UUIDs, for listings of a hundred thousand devices. Zeroed, it is empty. */
struct uuid_set {
	unsigned char (*slot)[16]; /* all-zero: free */
	size_t count, size;	   /* size: a power of two, or 0 */
};

/* uuid: of text_uuid()'s form, not the all-zero one. *added is false if it is there already. */
enum err uuid_set_add(
	struct uuid_set *set, const char *uuid, bool *added, struct error *e) must_check;
bool uuid_set_has(const struct uuid_set *set, const char *uuid);
void uuid_set_fini(struct uuid_set *set);

#endif

#ifndef CONFIG_USERS_H
#define CONFIG_USERS_H

#include <stddef.h>

#include "base/error.h"

/* A file of users and their crypt(3) hashes. */
struct user {
	char *name;
	char *hash;
};

struct users {
	size_t count; /* at least one, once loaded */
	struct user *user;
};

/*
 * Reads a file that must be closed to others: "user:hash" a line, '#' starts a comment. ERR_CONFIG,
 * with file and line, for anything but strong hashes that are whole, and for a file without a user.
 */
enum err users_load(const char *path, struct users *out, struct error *e) must_check;
void users_free(struct users *users);

/* NULL: there is none of that name. Always looks at every user, so that the time tells nothing. */
const struct user *users_find(const struct users *users, const char *name);

#endif

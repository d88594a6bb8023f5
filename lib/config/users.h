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
 * Reads a secret file: a line is "user:hash", '#' starts a comment. ERR_CONFIG, with file and line,
 * for a hash that is weak or cut, and for a file without users.
 */
enum err users_load(const char *path, struct users *out, struct error *e) must_check;
void users_free(struct users *users);

/* NULL: there is no such user. Always compares with every user, so that the time tells nothing. */
const struct user *users_find(const struct users *users, const char *name);

#endif

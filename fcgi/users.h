#ifndef FCGI_USERS_H
#define FCGI_USERS_H

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

/* See auth_open(). */
enum err users_load(const char *path, struct users *out, struct error *e) must_check;
void users_free(struct users *users);

/* NULL: there is none of that name. Looks at every user, whatever it finds. */
const struct user *users_find(const struct users *users, const char *name);

#endif

#ifndef CHECK_ACCOUNT_H
#define CHECK_ACCOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define ACCOUNT_NAME_SIZE 64
#define ACCOUNT_GROUPS_MAX 64

/* A user other than the one that this process runs as. */
struct account {
	char name[ACCOUNT_NAME_SIZE]; /* the number, if it has no name */
	uid_t uid;
	int group_count;
	gid_t group[ACCOUNT_GROUPS_MAX];
};

/* False: there is no such user. */
bool account_named(const char *name, struct account *out);
/* A user without an entry in passwd(5) is in no group. */
void account_of(uid_t uid, struct account *out);

/*
 * Returns true if the modes of a file (absolute path) and of the folders above it allow the account
 * access: want is R_OK, W_OK, X_OK or several of them. Access control lists are not seen. If the
 * result is false, blocked is the folder or file whose mode forbids it.
 */
bool account_may(
	const struct account *account, const char *path, unsigned want, char blocked[PATH_MAX]);

#endif

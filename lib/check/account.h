#ifndef CHECK_ACCOUNT_H
#define CHECK_ACCOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define ACCOUNT_NAME_SIZE 64
#define ACCOUNT_GROUPS_MAX 64

/* Another user than us, whose rights are to be judged. */
struct account {
	char name[ACCOUNT_NAME_SIZE]; /* the number, where it has none */
	uid_t uid;
	int group_count;
	gid_t group[ACCOUNT_GROUPS_MAX];
};

/* False: there is no such user. */
bool account_named(const char *name, struct account *out);
/* Of a user without an entry in passwd(5), too: then in no group. */
void account_of(uid_t uid, struct account *out);

/*
 * Returns true if the modes of a file (absolute path) and of the folders above it allow the account
 * access: want is R_OK, W_OK or X_OK, or several. Access control lists are not seen. blocked is
 * where it ends, when the result is false: a folder, or the file itself.
 */
bool account_may(
	const struct account *account, const char *path, unsigned want, char blocked[PATH_MAX]);

#endif

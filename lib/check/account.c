/* What the modes of files allow to a user other than the one who asks. */

#include "check/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fill(const struct passwd *entry, struct account *out)
{
	int count = ACCOUNT_GROUPS_MAX;

	snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
	out->uid = entry->pw_uid;
	/* of a user in more groups only the first ones are known */
	(void)getgrouplist(entry->pw_name, entry->pw_gid, out->group, &count);
	out->group_count = count < ACCOUNT_GROUPS_MAX ? count : ACCOUNT_GROUPS_MAX;
}

bool account_named(const char *name, struct account *out)
{
	const struct passwd *entry = getpwnam(name);

	if (entry)
		fill(entry, out);
	return entry;
}

void account_of(uid_t uid, struct account *out)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry) {
		fill(entry, out);
		return;
	}
	snprintf(out->name, sizeof(out->name), "%u", (unsigned)uid);
	out->uid = uid;
	out->group_count = 0;
}

static bool in_group(const struct account *account, gid_t group)
{
	for (int i = 0; i < account->group_count; i++)
		if (account->group[i] == group)
			return true;
	return false;
}

/* The first of owner, group and others that applies decides. */
static bool mode_allows(const struct account *account, const struct stat *st, unsigned want)
{
	if (account->uid == 0)
		return true;
	if (account->uid == st->st_uid)
		return (st->st_mode >> 6 & want) == want;
	if (in_group(account, st->st_gid))
		return (st->st_mode >> 3 & want) == want;
	return (st->st_mode & want) == want;
}

bool account_may(
	const struct account *account, const char *path, unsigned want, char blocked[PATH_MAX])
{
	const char *slash = path;
	struct stat st;

	do {
		size_t len;

		slash = strchr(slash + 1, '/');
		len = slash ? (size_t)(slash - path) : strlen(path);
		if (len >= PATH_MAX)
			return false;
		memcpy(blocked, path, len);
		blocked[len] = '\0';
		if (stat(blocked, &st) < 0 || !mode_allows(account, &st, slash ? X_OK : want))
			return false;
	} while (slash);
	return true;
}

/* Remembers the users that UEM described, for a few minutes each. */
#include "uem/users.h"

#include <string.h>

#include "base/clock.h"

const struct uem_user *uem_users_kept(const struct uem_users *users, const char *user_uuid)
{
	int64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < UEM_USERS_MAX; i++)
		if (users->entry[i].user && now < users->entry[i].until &&
			strcmp(users->entry[i].user->uuid, user_uuid) == 0)
			return users->entry[i].user;
	return NULL;
}

enum err uem_users_find(struct uem_users *users, const char *user_uuid, bool bulk, int64_t deadline,
	const struct uem_user **out, struct error *e)
{
	const struct uem_user *kept = uem_users_kept(users, user_uuid);
	struct uem_user *user = NULL;
	enum err err;

	if (kept) {
		*out = kept;
		return ERR_OK;
	}
	err = uem_user_find(users->api, user_uuid, bulk, deadline, &user, e);
	if (err)
		return err;
	uem_user_free(users->entry[users->next].user);
	users->entry[users->next].user = user;
	users->entry[users->next].until = clock_monotonic_ms() + UEM_USERS_SECONDS * 1000;
	users->next = (users->next + 1) % UEM_USERS_MAX;
	*out = user;
	return ERR_OK;
}

void uem_users_forget(struct uem_users *users, const char *user_uuid)
{
	for (size_t i = 0; i < UEM_USERS_MAX; i++)
		if (users->entry[i].user && strcmp(users->entry[i].user->uuid, user_uuid) == 0)
			users->entry[i].until = 0;
}

void uem_users_fini(struct uem_users *users)
{
	for (size_t i = 0; i < UEM_USERS_MAX; i++)
		uem_user_free(users->entry[i].user);
	*users = (struct uem_users){.api = users->api};
}

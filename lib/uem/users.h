#ifndef UEM_USERS_H
#define UEM_USERS_H

#include "uem/user.h"

/*
 * Users whom UEM was asked about in the last few minutes: several devices of one user enroll on the
 * same day, and each question counts against the customer's quota. What UEM does not know is asked
 * for again.
 */
#define UEM_USERS_MAX 64
#define UEM_USERS_SECONDS 300

struct uem_users {
	struct uem_api *api; /* borrowed */
	struct {
		struct uem_user *user; /* NULL: free */
		int64_t until;	       /* clock_monotonic_ms() */
	} entry[UEM_USERS_MAX];
	size_t next; /* the entry that a new user replaces */
};

/* As uem_user_find(); *out is borrowed until the next call. */
enum err uem_users_find(struct uem_users *users, const char *user_uuid, bool bulk, int64_t deadline,
	const struct uem_user **out, struct error *e) must_check;
/* The user if UEM need not be asked, borrowed until the next call; else NULL. */
const struct uem_user *uem_users_kept(const struct uem_users *users, const char *user_uuid);
/* UEM is asked for that user again. */
void uem_users_forget(struct uem_users *users, const char *user_uuid);
void uem_users_fini(struct uem_users *users);

#endif

#include "fcgi/auth.h"

#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/users.h"

#define AUTHORIZATION_MAX 2048
#define DIGEST_SIZE 32
#define REMEMBERED_MAX 16 /* a web hook has one user, or two while its password changes */
#define SHOWN_NAME_MAX 64

const char *const auth_failure_names[AUTH_FAILURE_COUNT] = {
	[AUTH_MISSING] = "missing",
	[AUTH_MALFORMED] = "malformed",
	[AUTH_UNKNOWN_USER] = "unknown_user",
	[AUTH_WRONG_PASSWORD] = "wrong_password",
	[AUTH_NO_REMOTE_USER] = "no_remote_user",
	[AUTH_UNVERIFIED_USER] = "unverified_remote_user",
};

struct auth {
	struct users users;
	enum auth_failure failure;
	struct crypt_data crypt;	    /* 32 KB of scratch space */
	unsigned char mac_key[DIGEST_SIZE]; /* of this process alone */
	size_t next;			    /* in remembered, once it is full */
	size_t remembered_count;
	unsigned char remembered[REMEMBERED_MAX][DIGEST_SIZE]; /* of "user:password" */
};

enum err auth_open(const char *path, struct auth **out, struct error *e)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	enum err err;

	if (!auth)
		return error_memory(e);
	err = users_load(path, &auth->users, e);
	if (!err)
		err = secret_random(auth->mac_key, sizeof(auth->mac_key), e);
	if (err)
		auth_close(auth);
	else
		*out = auth;
	return err;
}

void auth_close(struct auth *auth)
{
	if (!auth)
		return;
	users_free(&auth->users);
	secret_wipe(auth, sizeof(*auth));
	free(auth);
}

/* --- what was right before need not be computed again */

static bool digest(const struct auth *auth, const struct buf *pair, unsigned char out[DIGEST_SIZE])
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->mac_key, sizeof(auth->mac_key), pair->data,
		       pair->len, out) == 0;
}

static bool is_remembered(const struct auth *auth, const unsigned char wanted[DIGEST_SIZE])
{
	bool found = false;

	for (size_t i = 0; i < auth->remembered_count; i++)
		found |= secret_equal(auth->remembered[i], wanted, DIGEST_SIZE);
	return found;
}

static void remember(struct auth *auth, const unsigned char right[DIGEST_SIZE])
{
	memcpy(auth->remembered[auth->next], right, DIGEST_SIZE);
	auth->next = (auth->next + 1) % REMEMBERED_MAX;
	if (auth->remembered_count < REMEMBERED_MAX)
		auth->remembered_count++;
}

/* --- one check */

/* Somebody typed it: for the log, what is not plain ASCII is left out. */
static void shown_name(const char *name, char out[SHOWN_NAME_MAX + 1])
{
	size_t n = 0;

	for (; name[n] && n < SHOWN_NAME_MAX; n++)
		out[n] = (name[n] >= ' ' && name[n] <= '~' && name[n] != '"') ? name[n] : '?';
	out[n] = '\0';
}

/* An unknown user's password is hashed too, like the first user's, and never right. */
static bool password_is_right(struct auth *auth, const struct user *user, const char *password)
{
	const struct user *compared = user ? user : &auth->users.user[0];
	const char *made = crypt_r(password, compared->hash, &auth->crypt);
	size_t len = strlen(compared->hash);
	bool equal = made && strlen(made) == len && secret_equal(made, compared->hash, len);

	secret_wipe(&auth->crypt, sizeof(auth->crypt));
	return equal && user;
}

static enum err check_password(struct auth *auth, struct buf *pair, struct error *e)
{
	char *colon = memchr(pair->data, ':', pair->len);
	char name[SHOWN_NAME_MAX + 1];
	const struct user *user;

	if (!colon || strlen(pair->data) != pair->len)
		return error_set(e, ERR_UNAUTHENTICATED,
			"the Basic credentials are not of the form user:password");
	*colon = '\0';
	user = users_find(&auth->users, pair->data);
	if (password_is_right(auth, user, colon + 1))
		return ERR_OK;
	auth->failure = user ? AUTH_WRONG_PASSWORD : AUTH_UNKNOWN_USER;
	shown_name(pair->data, name);
	return error_set(e, ERR_UNAUTHENTICATED, "user \"%s\": %s", name,
		user ? "wrong password" : "there is no such user in the users file");
}

/* RFC 9110, section 11.4: scheme in any case, spaces, token68. */
static enum err decode(const char *authorization, struct buf *pair, struct error *e)
{
	static const char scheme[] = "basic";
	size_t len = strcspn(authorization, " "), spaces;
	char given[sizeof(scheme)] = "";

	if (!*authorization)
		return error_set(e, ERR_UNAUTHENTICATED, "there are no credentials");
	if (len == sizeof(scheme) - 1)
		memcpy(given, authorization, len);
	if (!text_equal_nocase(given, scheme))
		return error_set(e, ERR_UNAUTHENTICATED, "the credentials are not of HTTP Basic");
	spaces = strspn(authorization + len, " ");
	authorization += len + spaces;
	len = strlen(authorization);
	if (len > AUTHORIZATION_MAX)
		return error_set(e, ERR_UNAUTHENTICATED, "the credentials are too long");
	if (len == 0 || !text_unbase64(authorization, len, pair))
		return error_set(
			e, ERR_UNAUTHENTICATED, "the Basic credentials are not valid base64");
	return ERR_OK;
}

enum err auth_check(struct auth *auth, const char *authorization, struct error *e)
{
	struct buf pair = BUF_INIT(AUTHORIZATION_MAX);
	unsigned char mac[DIGEST_SIZE] = {0};
	enum err err = decode(authorization, &pair, e);

	auth->failure = *authorization ? AUTH_MALFORMED : AUTH_MISSING;
	if (err)
		goto out;
	if (!digest(auth, &pair, mac)) {
		err = error_set(e, ERR_INTERNAL, "HMAC-SHA-256 failed");
		goto out;
	}
	if (is_remembered(auth, mac))
		goto out;
	err = check_password(auth, &pair, e);
	if (!err)
		remember(auth, mac);
out:
	secret_wipe(mac, sizeof(mac));
	buf_free(&pair);
	return err;
}

enum auth_failure auth_failure(const struct auth *auth)
{
	return auth->failure;
}

/*
 * Checks HTTP Basic credentials against a users file. When a hash may be computed, and which
 * passwords were right before, is decided in auth_memory.c.
 */
#include "fcgi/auth.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"
#include "config/users.h"

#define AUTHORIZATION_MAX 2048
#define DIGESTED_MAX (2 * AUTHORIZATION_MAX)
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
	struct crypt_data crypt;    /* 32 KB of scratch space */
	struct auth_memory *memory; /* own or shared */
	struct auth_memory *own;    /* NULL: it is shared */
};

enum err auth_open(const char *path, struct auth **out, struct error *e)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	enum err err;

	if (!auth)
		return error_memory(e);
	err = users_load(path, &auth->users, e);
	if (!err)
		err = auth_memory_new(&auth->own, e);
	auth->memory = auth->own;
	if (err)
		auth_close(auth);
	else
		*out = auth;
	return err;
}

void auth_share(struct auth *auth, struct auth_memory *memory)
{
	auth_memory_free(auth->own);
	auth->own = NULL;
	auth->memory = memory;
}

void auth_close(struct auth *auth)
{
	if (!auth)
		return;
	users_free(&auth->users);
	auth_memory_free(auth->own);
	secret_wipe(auth, sizeof(*auth));
	free(auth);
}

/* --- one check */

struct credentials {
	const char *name, *password;
	const char *address;	 /* where they came from */
	const struct user *user; /* NULL: unknown */
};

/* Anybody may send any name: in the log, all but printable ASCII is a question mark. */
static void shown_name(const char *name, char out[SHOWN_NAME_MAX + 1])
{
	size_t n = 0;

	for (; name[n] && n < SHOWN_NAME_MAX; n++)
		out[n] = (name[n] >= ' ' && name[n] <= '~' && name[n] != '"') ? name[n] : '?';
	out[n] = '\0';
}

/* The password of an unknown user is hashed, too, like the first user's; it is never right. */
static bool password_is_right(struct auth *auth, const struct user *user, const char *password)
{
	const struct user *compared = user ? user : &auth->users.user[0];
	const char *made = crypt_r(password, compared->hash, &auth->crypt);
	size_t len = strlen(compared->hash);
	bool equal = made && strlen(made) == len && secret_equal(made, compared->hash, len);

	secret_wipe(&auth->crypt, sizeof(auth->crypt));
	return equal && user;
}

/*
 * The remembered digest of a right password. It includes the hash: a worker that has read a new
 * users file ignores passwords that were right by the old one.
 */
static enum err digest_of(const struct auth *auth, const struct user *user, const char *password,
	unsigned char out[AUTH_DIGEST_SIZE], struct error *e)
{
	struct buf text = BUF_INIT(DIGESTED_MAX);
	enum err err;

	buf_append(&text, user->name, strlen(user->name) + 1);
	buf_append(&text, user->hash, strlen(user->hash) + 1);
	buf_puts(&text, password);
	err = buf_check(&text, e);
	if (!err)
		err = auth_memory_digest(auth->memory, text.data, text.len, out, e);
	buf_free(&text);
	return err;
}

static enum err compare(struct auth *auth, const struct credentials *c,
	const unsigned char digest[AUTH_DIGEST_SIZE], struct error *e)
{
	char name[SHOWN_NAME_MAX + 1];

	/* Another worker may have checked it meanwhile. */
	if (c->user && auth_memory_has(auth->memory, digest))
		return ERR_OK;
	if (password_is_right(auth, c->user, c->password)) {
		auth_memory_was_right(auth->memory, digest);
		return ERR_OK;
	}
	auth_memory_was_wrong(auth->memory, c->address);
	auth->failure = c->user ? AUTH_WRONG_PASSWORD : AUTH_UNKNOWN_USER;
	shown_name(c->name, name);
	return error_set(e, ERR_UNAUTHENTICATED, "user \"%s\": %s", name,
		c->user ? "wrong password" : "there is no such user in the users file");
}

static enum err check_password(struct auth *auth, const struct credentials *c, struct error *e)
{
	unsigned char digest[AUTH_DIGEST_SIZE] = {0};
	enum err err = c->user ? digest_of(auth, c->user, c->password, digest, e) : ERR_OK;

	if (err || (c->user && auth_memory_has(auth->memory, digest)))
		goto out;
	err = auth_memory_take_turn(auth->memory, c->address, e);
	if (err)
		goto out;
	err = compare(auth, c, digest, e);
	auth_memory_release_turn(auth->memory);
out:
	secret_wipe(digest, sizeof(digest));
	return err;
}

/* RFC 9110, section 11.4: scheme in any case, spaces, token68. Puts "user:password" into pair. */
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
		return error_set(e, ERR_UNAUTHENTICATED, "the credentials are not HTTP Basic");
	spaces = strspn(authorization + len, " ");
	authorization += len + spaces;
	len = strlen(authorization);
	if (len > AUTHORIZATION_MAX)
		return error_set(e, ERR_UNAUTHENTICATED, "the credentials are too long");
	if (len == 0 || !text_unbase64(authorization, len, pair))
		return error_set(
			e, ERR_UNAUTHENTICATED, "the Basic credentials are not valid base64");
	if (!pair->len || strlen(pair->data) != pair->len || !strchr(pair->data, ':'))
		return error_set(e, ERR_UNAUTHENTICATED,
			"the Basic credentials are not of the form user:password");
	return ERR_OK;
}

enum err auth_check(
	struct auth *auth, const char *authorization, const char *address, struct error *e)
{
	struct buf pair = BUF_INIT(AUTHORIZATION_MAX);
	struct credentials c = {.address = address};
	enum err err = decode(authorization, &pair, e);

	auth->failure = *authorization ? AUTH_MALFORMED : AUTH_MISSING;
	if (!err) {
		char *colon = strchr(pair.data, ':');

		*colon = '\0';
		c.name = pair.data;
		c.password = colon + 1;
		c.user = users_find(&auth->users, c.name);
		err = check_password(auth, &c, e);
	}
	buf_free(&pair);
	return err;
}

enum auth_failure auth_failure(const struct auth *auth)
{
	return auth->failure;
}

/* Reads a file of users and password hashes, and refuses weak hashes. */
#include "config/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/utf8.h"

#define USERS_MAX 1000
#define HASH_MAX 256

/* The strong hashes of crypt(5). A cut hash would match nothing, so its length is checked too. */
static const struct method {
	const char *prefix;
	size_t digest_len; /* after the last '$' */
} methods[] = {
	{"$2a$", 53}, {"$2b$", 53}, {"$2y$", 53}, /* bcrypt: salt and digest in one */
	{"$y$", 43}, {"$gy$", 43},		  /* yescrypt, gost-yescrypt */
	{"$6$", 86}, {"$5$", 43},		  /* SHA-512, SHA-256 */
};

static const char *hash_fault(const char *hash)
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz$=,";
	const char *last = strrchr(hash, '$');

	if (!*hash)
		return "there is no hash after the ':': set one with htpasswd -B";
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const struct method *m = &methods[i];

		if (strncmp(hash, m->prefix, strlen(m->prefix)) != 0)
			continue;
		if (strlen(last + 1) != m->digest_len || strlen(hash) > HASH_MAX ||
			strspn(hash, alphabet) != strlen(hash))
			return "the hash is damaged or cut: set it again with htpasswd -B";
		return NULL;
	}
	return "only bcrypt, yescrypt, SHA-512 and SHA-256 hashes are accepted, as from "
	       "\"htpasswd -B\" or \"mkpasswd\"; DES, MD5, apr1, SHA-1 and plain passwords are not";
}

static const char *add_user(struct users *users, char *line)
{
	char *colon = strchr(line, ':');
	struct user *user = &users->user[users->count];
	const char *fault;

	if (!colon || colon == line)
		return "expected user:hash, as htpasswd -B writes it";
	*colon = '\0';
	if (!utf8_is_valid(line, strlen(line)) || utf8_has_control(line))
		return "the user name has control characters or is not UTF-8";
	if (users_find(users, line))
		return "this user already has a line";
	if (users->count == USERS_MAX)
		return "too many users";
	fault = hash_fault(colon + 1);
	if (fault)
		return fault;
	user->name = strdup(line);
	user->hash = strdup(colon + 1);
	users->count++;
	return user->name && user->hash ? NULL : "out of memory";
}

static enum err parse(const char *path, char *text, struct users *users, struct error *e)
{
	unsigned number = 0;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		const char *fault;
		size_t len = strlen(line);

		number++;
		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		line = text_trim(line);
		if (!*line || *line == '#')
			continue;
		fault = add_user(users, line);
		if (fault)
			return error_set(e, ERR_CONFIG, "%s:%u: %s", path, number, fault);
	}
	if (!users->count)
		return error_set(e, ERR_CONFIG,
			"%s: there is no user in it: add one with htpasswd -B", path);
	return ERR_OK;
}

enum err users_load(const char *path, struct users *out, struct error *e)
{
	struct users users = {0, NULL};
	struct blob text = {NULL, 0};
	enum err err = file_read_secret(path, &text, e);

	if (err)
		return err;
	users.user = calloc(USERS_MAX, sizeof(*users.user));
	if (!users.user)
		err = error_memory(e);
	else if (strlen((char *)text.data) != text.len)
		err = error_set(e, ERR_CONFIG, "%s: not a text file", path);
	else
		err = parse(path, (char *)text.data, &users, e);
	if (err)
		users_free(&users);
	else
		*out = users;
	blob_free(&text);
	return err;
}

void users_free(struct users *users)
{
	for (size_t i = 0; i < users->count; i++) {
		if (users->user[i].hash)
			secret_wipe(users->user[i].hash, strlen(users->user[i].hash));
		free(users->user[i].hash);
		free(users->user[i].name);
	}
	free(users->user);
	*users = (struct users){0, NULL};
}

const struct user *users_find(const struct users *users, const char *name)
{
	const struct user *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < users->count; i++) {
		const char *other = users->user[i].name;

		if (strlen(other) == len && secret_equal(other, name, len))
			found = &users->user[i];
	}
	return found;
}

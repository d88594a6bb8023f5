/* The setters: one for each kind of value. */
#include "config/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY 86400
#define PINNED_PREFIX "sha256//"
#define PINNED_DIGITS 44 /* base64 of 32 bytes */
#define SQLITE_PREFIX "sqlite:"
#define TOKEN_PREFIX "pkcs11:"
#define LDAP_SCHEME "ldap://"
#define LDAPS_SCHEME "ldaps://"

static void *member(struct config *config, const struct config_key *k)
{
	return (char *)config + k->offset;
}

static enum err expected(
	const struct config *config, const struct config_key *k, struct error *e, const char *what)
{
	return config_error(config, k->section, k->name, e, "expected %s", what);
}

enum err config_set_text(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char **out = member(config, k);
	char *copy = strdup(value);

	if (!copy)
		return error_memory(e);
	free(*out);
	*out = copy;
	return ERR_OK;
}

/* Relative paths are relative to the configuration file. */
enum err config_set_path(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	const char *slash = strrchr(config->path, '/');
	char **out = member(config, k);
	char *path = NULL;
	int folder;

	if (*value == '/' || !slash)
		return config_set_text(config, k, value, e);
	folder = (int)(slash - config->path);
	if (asprintf(&path, "%.*s/%s", folder, config->path, value) < 0)
		return error_memory(e);
	free(*out);
	*out = path;
	return ERR_OK;
}

bool config_is_token(const char *value)
{
	return strncmp(value, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0;
}

/* A file, or a key in a token (RFC 7512). */
enum err config_set_path_or_token(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	return config_is_token(value) ? config_set_text(config, k, value, e)
				      : config_set_path(config, k, value, e);
}

static enum err set_list(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char ***out = member(config, k);
	char **list = text_list(value);

	if (!list)
		return error_memory(e);
	free(*out);
	*out = list;
	return ERR_OK;
}

enum err config_set_templates(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char ***out = member(config, k);
	enum err err = set_list(config, k, value, e);

	return err || **out ? err : expected(config, k, e, "at least one template");
}

/* In lower case, like the addresses in certificates. */
enum err config_set_domains(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char ***out = member(config, k);
	enum err err = set_list(config, k, value, e);

	for (char **item = err ? NULL : *out; item && *item; item++) {
		for (char *p = *item; *p; p++)
			*p = text_lower(*p);
		if ((*item)[strspn(*item, "abcdefghijklmnopqrstuvwxyz0123456789-.")])
			return expected(config, k, e,
				"domains such as example.com, international ones as xn--");
	}
	return err;
}

enum err config_set_policies(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char ***out = member(config, k);
	enum err err = set_list(config, k, value, e);

	for (char **item = err ? NULL : *out; item && *item; item++)
		if (!text_is_oid(*item))
			return expected(config, k, e, "OIDs such as 1.3.6.1.4.1.32473.1");
	return err;
}

/* Index of value among the option's names, or -1 and an error that lists them. */
static int find_kind(
	const struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char what[256] = "one of";
	int kind = vocabulary_find(k->names, k->name_count, value);

	if (kind >= 0)
		return kind;
	for (size_t i = 0; i < k->name_count; i++) {
		size_t len = strlen(what);

		snprintf(what + len, sizeof(what) - len, "%s %s", i ? "," : "", k->names[i]);
	}
	expected(config, k, e, k->name_count > 1 ? what : k->names[0]);
	return -1;
}

enum err config_set_kind(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	int kind = find_kind(config, k, value, e);

	if (kind < 0)
		return ERR_CONFIG;
	*(unsigned *)member(config, k) = (unsigned)kind;
	return ERR_OK;
}

/* [certificates] key: for each usage that has no key of its own. */
enum err config_set_keys(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	static const char *const own[USAGE_COUNT] = {
		[USAGE_SIGNING] = "signing-key",
		[USAGE_ENCRYPTION] = "encryption-key",
	};
	unsigned *out = member(config, k);
	int kind = find_kind(config, k, value, e);

	if (kind < 0)
		return ERR_CONFIG;
	for (size_t usage = 0; usage < USAGE_COUNT; usage++)
		if (!*config_key_line(config, config_key_find(k->section, own[usage])))
			out[usage] = (unsigned)kind;
	return ERR_OK;
}

enum err config_set_usages(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	bool *out = member(config, k);
	char **items = text_list(value);
	bool good;

	if (!items)
		return error_memory(e);
	memset(out, 0, USAGE_COUNT * sizeof(*out));
	good = *items != NULL;
	for (char **item = items; *item && good; item++) {
		int usage = vocabulary_find(usage_names, USAGE_COUNT, *item);

		good = usage >= 0;
		if (good)
			out[usage] = true;
	}
	free(items);
	return good ? ERR_OK : expected(config, k, e, "signing, encryption or both");
}

enum err config_set_switch(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	bool *out = member(config, k);
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return expected(config, k, e, "yes or no");
	*out = yes;
	return ERR_OK;
}

enum err config_set_duration(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	bool days = k->max % DAY == 0;
	int64_t n = 0;

	if (!text_duration(value, INT64_MAX, &n) || n < k->min || n > k->max)
		return config_error(config, k->section, k->name, e,
			"expected a duration such as 90s, 10m, 12h or 365d, from %llds to %lld%s",
			(long long)k->min, (long long)(days ? k->max / DAY : k->max),
			days ? "d" : "s");
	*(int64_t *)member(config, k) = n;
	return ERR_OK;
}

enum err config_set_size(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	int64_t n = 0;

	if (!text_size(value, INT64_MAX, &n) || n < k->min || n > k->max)
		return config_error(config, k->section, k->name, e,
			"expected a size such as 4096, 64k or 1m, from %lld to %lld bytes",
			(long long)k->min, (long long)k->max);
	*(size_t *)member(config, k) = (size_t)n;
	return ERR_OK;
}

static enum err read_number(const struct config *config, const struct config_key *k,
	const char *value, int64_t *out, struct error *e)
{
	int64_t n = 0;

	if (!text_number(value, INT64_MAX, &n) || n < k->min || n > k->max)
		return config_error(config, k->section, k->name, e,
			"expected a number from %lld to %lld", (long long)k->min,
			(long long)k->max);
	*out = n;
	return ERR_OK;
}

enum err config_set_count(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	int64_t n = 0;
	enum err err = read_number(config, k, value, &n, e);

	if (!err)
		*(size_t *)member(config, k) = (size_t)n;
	return err;
}

enum err config_set_unsigned(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	int64_t n = 0;
	enum err err = read_number(config, k, value, &n, e);

	if (!err)
		*(unsigned *)member(config, k) = (unsigned)n;
	return err;
}

static bool is_url(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 && url[len] && url[len] != '/' &&
	       !strpbrk(url, " \"<>\\^`{|}");
}

static void drop_trailing_slashes(char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		url[--len] = '\0';
}

enum err config_set_escrow_urls(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	char ***out = member(config, k);
	enum err err = set_list(config, k, value, e);

	if (err)
		return err;
	for (char **url = *out; *url; url++) {
		if (!is_url(*url, "https://") || strpbrk(*url, "@?#"))
			return expected(config, k, e,
				"https:// URLs without credentials, query or fragment");
		drop_trailing_slashes(*url);
	}
	return **out ? ERR_OK : expected(config, k, e, "at least one https:// URL");
}

/*
 * A server on this machine needs no TLS: an attacker who can read loopback traffic can read our
 * files too.
 */
static bool is_local_url(const char *url, const char *scheme)
{
	static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
	const char *host = url + strlen(scheme);

	for (size_t i = 0; is_url(url, scheme) && i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(hosts[i]);

		if (strncmp(host, hosts[i], len) == 0 && (!host[len] || strchr(":/", host[len])))
			return true;
	}
	return false;
}

enum err config_set_ca_url(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	enum err err = ERR_OK;

	if ((!is_url(value, "https://") && !is_local_url(value, "http://")) ||
		strpbrk(value, "@?#"))
		return expected(config, k, e,
			"an https:// URL without credentials, query or fragment (http:// only to "
			"localhost)");
	err = config_set_text(config, k, value, e);
	if (!err)
		drop_trailing_slashes(*(char **)member(config, k));
	return err;
}

enum err config_set_public_url(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	if (!is_url(value, "http://") && !is_url(value, "https://"))
		return expected(config, k, e, "an http:// URL");
	return config_set_text(config, k, value, e);
}

/* Without credentials: secrets are never values. */
enum err config_set_proxy(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	size_t len = strlen(value);

	if ((!is_url(value, "http://") && !is_url(value, "https://")) || strpbrk(value, "@?#") ||
		(len && strchr(strstr(value, "//") + 2, '/')))
		return expected(config, k, e, "http://HOST:PORT, a proxy without credentials");
	return config_set_text(config, k, value, e);
}

enum err config_set_store(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	size_t prefix = strlen(SQLITE_PREFIX);

	if (strncmp(value, SQLITE_PREFIX, prefix) != 0 || !value[prefix])
		return expected(config, k, e, "sqlite:FILE (this version has no other engine)");
	return config_set_path(config, k, value + prefix, e);
}

enum err config_set_pinned_key(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	struct buf digest = BUF_INIT(64);
	size_t prefix = strlen(PINNED_PREFIX);
	bool good = strncmp(value, PINNED_PREFIX, prefix) == 0 &&
		    strlen(value + prefix) == PINNED_DIGITS &&
		    text_unbase64(value + prefix, PINNED_DIGITS, &digest) && digest.len == 32;

	buf_free(&digest);
	return good ? config_set_text(config, k, value, e)
		    : expected(config, k, e,
			      "sha256// and the base64 of a SHA-256 of the public key");
}

bool config_is_local_ldap(const char *value)
{
	return is_local_url(value, LDAP_SCHEME);
}

enum err config_set_ldap_url(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	const char *host = strstr(value, "//");

	if ((!is_url(value, LDAP_SCHEME) && !is_url(value, LDAPS_SCHEME)) ||
		strpbrk(host + 2, "@?#,/"))
		return expected(config, k, e,
			"ldaps://HOST or ldap://HOST, with :PORT if need be, and no path (base is a key "
			"of its own)");
	return config_set_text(config, k, value, e);
}

/* The description of an attribute: a name or an OID, and options (RFC 4512, 2.5). */
enum err config_set_attribute(
	struct config *config, const struct config_key *k, const char *value, struct error *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.;";

	if (!*value || value[strspn(value, allowed)])
		return expected(config, k, e, "the name of an attribute, such as mail");
	return config_set_text(config, k, value, e);
}

#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/kinds.h"
#include "base/log.h"

enum authenticate { AUTHENTICATE_BASIC, AUTHENTICATE_WEB_SERVER, AUTHENTICATE_NONE };
enum on_unenroll { UNENROLL_KEEP, UNENROLL_REVOKE_SIGNING, UNENROLL_REVOKE_ALL };
enum signing_scope { SIGNING_SCOPE_DEVICE, SIGNING_SCOPE_USER };
enum pkcs12_profile { PKCS12_LEGACY, PKCS12_MODERN };

/*
 * The configuration file as certprov.conf(5) describes it: every value
 * checked, every path absolute, every default filled in. All of it is owned
 * by the structure. Lists are NULL-terminated. A text that is not set is NULL.
 * No file that it names has been read yet.
 */
struct config {
	char *path;
	unsigned *lines; /* where each key was set, 0: not at all; for config_error() */

	struct {
		char *users_file; /* set if and only if authenticate is basic */
		enum authenticate authenticate;
		size_t max_body; /* bytes */
		enum on_unenroll on_unenroll;
	} events;

	struct {
		char *users_file; /* NULL: no /metrics, no /status */
	} admin;

	struct {
		char **mail; /* templates, tried in order */
		char *name;
		char *subject;
		char **allowed_domains; /* lower case; empty: any */
	} identity;

	struct {
		bool usages[USAGE_COUNT];
		enum key_type key[USAGE_COUNT];
		enum signing_scope signing_scope;
		int64_t validity; /* seconds */
		char **policies;  /* OIDs */
		int64_t renew_within;
		size_t archive_max;
		size_t key_pool; /* keys */
	} certificates;

	struct {
		char *certificate;
		char *key;
		char *crl_url;
		char *issuer_url;
		int64_t crl_validity; /* seconds */
	} ca;

	struct {
		char **urls; /* at least one, without a trailing slash */
		char *identity;
		char *identity_password_file;
		char *ca_file;
		char *pinned_key;
		enum pkcs12_profile pkcs12;
		unsigned pkcs12_iterations;
		char *pkcs12_password_file;
		int64_t timeout;   /* seconds, for the whole request */
		unsigned max_rate; /* uploads a second in bulk work */
	} escrow;

	struct {
		char *sqlite; /* path of the database */
		char *key_file;
	} store;

	struct log_settings log;
};

/*
 * Reads the file. ERR_CONFIG with "FILE:LINE: what" for a key or section that
 * is unknown, set twice, missing or out of range.
 */
enum err config_load(const char *path, struct config **out, struct error *e) must_check;

/* The same from text[0..len-1], with a NUL behind it; path is absolute and only a name. */
enum err config_parse(const char *path, const char *text, size_t len, struct config **out,
	struct error *e) must_check;

void config_free(struct config *config);

/*
 * ERR_CONFIG for a value that only its user could judge: "FILE:LINE: [section]
 * key: what". The key must be one that the table in config_keys.c has.
 */
enum err config_error(const struct config *config, const char *section, const char *key,
	struct error *e, const char *fmt, ...) printf_like(5, 6);

/* path, else $CERTPROV_CONFIG, else the installed default. Borrowed. */
const char *config_path(const char *path);

#endif

#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "config/ca.h"
#include "config/vocabulary.h"

enum authenticate { AUTHENTICATE_BASIC, AUTHENTICATE_WEB_SERVER, AUTHENTICATE_NONE };

/*
 * AUTHENTICATE_WEB_SERVER: the FastCGI parameter by which nginx says that it has verified
 * REMOTE_USER, and its one value. nginx/snippets/certprov-web-server-auth.conf sets it, beside
 * auth_basic. No request header becomes a parameter of that name: those are HTTP_*.
 */
#define AUTHENTICATED_PARAM "CERTPROV_AUTHENTICATED"
#define AUTHENTICATED_VALUE "yes"
enum on_unenroll { UNENROLL_KEEP, UNENROLL_REVOKE_SIGNING, UNENROLL_REVOKE_ALL };
enum identity_source { IDENTITY_EVENT, IDENTITY_UEM, IDENTITY_LDAP };
enum address_conflict { ADDRESS_CONFLICT_REFUSE, ADDRESS_CONFLICT_WARN };
enum signing_scope { SIGNING_SCOPE_DEVICE, SIGNING_SCOPE_USER };
enum pkcs12_profile { PKCS12_LEGACY, PKCS12_MODERN };

enum tls_max { TLS_MAX_1_3, TLS_MAX_1_2 };

/*
 * The configuration file as certprov.conf(5) describes it: every value checked, every path
 * absolute, every default filled in. The structure owns all of it. Lists are NULL-terminated. A
 * text that is not set is NULL. The files that it names have not been read yet.
 */
struct config {
	char *path;
	unsigned *lines; /* where each key was set, 0: not at all; for config_error() */

	struct {
		char *users_file; /* set if and only if authenticate is basic */
		enum authenticate authenticate;
		size_t max_body; /* bytes */
		enum on_unenroll on_unenroll;
		bool shared_devices; /* a device may have several users at a time */
	} events;

	struct {
		char *users_file; /* NULL: no /metrics, no /status */
	} admin;

	struct {
		enum identity_source source;
		char **mail; /* templates, tried in order */
		char *name;
		char *subject;
		char **allowed_domains; /* lower case; empty: any */
		enum address_conflict address_conflict;
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

	struct config_ca ca;			    /* of each usage that has none of its own */
	struct config_ca ca_for[USAGE_COUNT];	    /* section NULL: none */
	const struct config_ca *ca_of[USAGE_COUNT]; /* what config_ca() gives; NULL: ca */

	struct {
		char **urls; /* at least one, without a trailing slash */
		char *identity;
		char *identity_password_file;
		char *ca_file;
		char *pinned_key;
		char *proxy;
		enum pkcs12_profile pkcs12;
		unsigned pkcs12_iterations;
		char *pkcs12_password_file;
		enum tls_max tls_max;
		int64_t timeout;   /* seconds, for the whole request */
		unsigned max_rate; /* uploads a second in bulk work */
	} escrow;

	struct {
		char *sqlite; /* path of the database */
		char *key_file;
	} store;

	/* UEM's REST API; url NULL: it is not asked */
	struct {
		char *url;	 /* without a trailing slash */
		char *token_url; /* OAuth 2.0, or NULL: username and password_file */
		char *client_id;
		char *client_secret_file;
		char *username;
		char *password_file;
		char *tenant_code_file; /* NULL: the API takes requests without one */
		char *ca_file;
		char *proxy;
		bool confirm;	     /* UEM must know what an event claims */
		int64_t confirm_age; /* seconds that a confirmation is good for */
		int64_t timeout;     /* seconds, for one request */
	} uem;

	/* The directory; url NULL: it is not asked */
	struct {
		char *url;     /* ldaps://, or ldap://: StartTLS */
		char *bind_dn; /* NULL: by identity, or anonymous */
		char *password_file;
		char *identity; /* for SASL EXTERNAL; NULL: none */
		char *identity_password_file;
		char *base;
		char *filter; /* a template */
		char *mail_attribute;
		char *name_attribute; /* NULL: none */
		char *ca_file;	      /* NULL: without TLS, on this machine alone */
		int64_t timeout;      /* seconds, for a look-up */
	} ldap;

	struct log_settings log;
};

/*
 * Reads the file. ERR_CONFIG with "FILE:LINE: what" for a key or section that is unknown, set
 * twice, missing or out of range.
 */
enum err config_load(const char *path, struct config **out, struct error *e) must_check;

/*
 * Reads the file to its end despite errors in it, and gives each error, "FILE:LINE: what", to
 * fault. ERR_CONFIG if there was one; only a file without errors gives a configuration.
 */
typedef void config_fault(void *ctx, const char *text);
enum err config_test(const char *path, config_fault *fault, void *ctx, struct config **out,
	struct error *e) must_check;

/*
 * The same as config_load() from text[0..len-1], with a NUL behind it; path is absolute and serves
 * only as a name.
 */
enum err config_parse(const char *path, const char *text, size_t len, struct config **out,
	struct error *e) must_check;

void config_free(struct config *config);

/*
 * Walks the files that a section names: returns the next one, NULL after the last. *at begins as 0.
 * Keys in a token are left out.
 */
const char *config_next_file(const struct config *config, const char *section, size_t *at);

/* Seconds that CAs and gateways together may delay one event. */
int64_t config_longest(const struct config *config);

/*
 * Seconds after which the work for one event counts as stuck. It covers CAs and gateways, the wait
 * for another event of the same device, key generation and a busy store.
 */
int64_t config_patience(const struct config *config);

/*
 * ERR_CONFIG for a value that only the code using it can check: "FILE:LINE: [section] key: what".
 * The key must be in the table in keys.c. A key that [ca signing] or [ca encryption] did not set is
 * reported as [ca]'s.
 */
enum err config_error(const struct config *config, const char *section, const char *key,
	struct error *e, const char *fmt, ...) printf_like(5, 6);

/* path, else $CERTPROV_CONFIG, else the installed default. Borrowed. */
const char *config_path(const char *path);

#endif

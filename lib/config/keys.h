#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

/* Internal to the configuration: config.c reads lines, keys.c knows keys. */

struct option;
typedef enum err config_setter(
	struct config *config, const struct option *o, const char *value, struct error *e);

/*
 * The effect of a change of a CA's key on an unfinished order there. A key of another section has
 * none.
 */
enum ca_terms_class {
	CA_TERMS_NONE,
	CA_TERMS_PART, /* another value orders something else, or elsewhere: what is open is void */
	CA_TERMS_APART, /* for connection, credentials or checks: the order stays valid */
};

/* A key: where its value goes, whether that is memory of its own, and what it may be. */
struct option {
	const char *section, *key;
	config_setter *set;
	size_t offset, size;
	bool allocated;
	int64_t min, max;
	const char *const *names;
	size_t name_count;
	const char *fallback; /* as if the file had said so; NULL: stays unset */
	unsigned types;	      /* of a CA's key: which types take it, a bit each; 0: no CA's */
	unsigned needed;      /* … and which can't do without */
	enum ca_terms_class terms;
};

/* Where errors go when all are wanted; without fault the first one ends the reading. */
struct config_faults {
	config_fault *fault;
	void *ctx;
	unsigned count;
	bool *wrong; /* for each option: its value was refused, and does not count as missing */
};

/*
 * Passes an error on: ERR_OK if reading goes on behind it. Memory that is short always ends it.
 */
enum err config_tell(struct config_faults *faults, enum err err, const struct error *e) must_check;

extern const struct option config_options[];
extern const size_t config_option_count;

/* The key; key NULL: the first one of that section. NULL: there is none. */
const struct option *config_option(const char *section, const char *key);

/* Returns true if it is a pkcs11: URL. */
bool config_is_token(const char *value);

/* ERR_CONFIG for an identity in a token with a password beside it. */
enum err config_check_identity(const struct config *config, const char *section,
	const char *identity, struct error *e) must_check;

/* The value of a key that is a text (or a list, to see whether there is one); NULL: none. */
const char *config_text(const struct config *config, const struct option *o);

/* Where the file set that key; 0: nowhere. */
unsigned *config_line(const struct config *config, const struct option *o);

/* The defaults of all keys that the file did not set. */
enum err config_set_defaults(struct config *config, struct error *e) must_check;

/* Checks across keys: keys that need, exclude or bound one another. */
enum err config_check_whole(
	const struct config *config, struct config_faults *faults, struct error *e) must_check;

/*
 * For each CA what its section did not set: where it is of the same type, what [ca] has, else the
 * defaults of its type.
 */
enum err config_ca_complete(struct config *config, struct error *e) must_check;

/* Checks the keys that a CA's type needs, or does not use. */
enum err config_ca_check(
	const struct config *config, struct config_faults *faults, struct error *e) must_check;

#endif

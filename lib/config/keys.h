#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

/* The table of keys, for lib/config and its tests; others read struct config. */

struct config_key;
typedef enum err config_setter(
	struct config *config, const struct config_key *k, const char *value, struct error *e);

/* Whether a key is part of a CA's terms. Each key of a CA says so, no other key does. */
enum ca_term {
	CA_TERM_UNSAID,
	CA_TERM_YES, /* another value means another order or another CA: open orders become void */
	CA_TERM_NO,  /* for connection, credentials or checks: open orders stay valid */
};

/* A key: where its value goes, whether that is allocated, and what it may be. */
struct config_key {
	const char *section, *name;
	config_setter *set;
	size_t offset, size;
	bool allocated;
	int64_t min, max;
	const char *const *names;
	size_t name_count;
	const char *fallback; /* as if the file had said so; NULL: stays unset */
	unsigned types;	      /* of a CA's key: which types take it, a bit each; 0: no CA's */
	unsigned needed;      /* … and which types need it */
	enum ca_term term;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The key; name NULL: the first one of that section. NULL: there is none. */
const struct config_key *config_key_find(const char *section, const char *name);

/* The value of a key that is a text (or a list, to see whether there is one); NULL: none. */
const char *config_key_text(const struct config *config, const struct config_key *k);

/* The line of the file that set that key; 0: none did. */
unsigned *config_key_line(const struct config *config, const struct config_key *k);

#endif

#ifndef CLI_OPTION_KINDS_H
#define CLI_OPTION_KINDS_H

#include "base/error.h"

/* The kind of an option: what is needed as its value, and what becomes of that. */
struct option_kind {
	const char *form; /* "a time such as 30d"; NULL: it takes no value */
	/*
	 * Puts a value into its field of the command's request. ERR_USAGE: it is wrong; e says why,
	 * or has no text: then it is not of that form. NULL: the field is a bool, which becomes
	 * true.
	 */
	enum err (*set)(void *field, const char *value, struct error *e);
};

extern const struct option_kind option_flag;   /* bool */
extern const struct option_kind option_file;   /* const char *, the name of a file */
extern const struct option_kind option_user;   /* const char *, for struct names */
extern const struct option_kind option_device; /* const char *, for struct names */
extern const struct option_kind option_serial; /* char[STORE_SERIAL_SIZE], in the store's form */
extern const struct option_kind option_usage;  /* int, of enum usage */
extern const struct option_kind option_rate;   /* unsigned, uploads a second */
/* int64_t, seconds ahead. Under an hour is refused: "m" is taken for months. */
extern const struct option_kind option_ahead;

/* For kinds of a command's own: any value, as const char *. */
enum err option_set_text(void *field, const char *value, struct error *e);

#endif

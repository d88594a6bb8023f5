#ifndef PKI_TOKEN_PIN_H
#define PKI_TOKEN_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * The PIN of a token, from a file; and the memory of those that the token has refused, which all
 * processes share: a token locks itself after a few wrong ones. Part of token.h.
 */

#define PIN_STAMP_SIZE 128

struct pin {
	char *file;		      /* NULL: none */
	char *memory;		      /* FILE.refused */
	char stamp[PIN_STAMP_SIZE];   /* which state of the file was tried last */
	char refused[PIN_STAMP_SIZE]; /* the last one that the token did not take */
	int lock;		      /* on file, or -1 */
	bool given;		      /* since pin_begin() */
	const char *why;	      /* it was not given; or NULL */
};

/*
 * file is the value of pin-source: a path, "file:PATH", or NULL. FILE.refused-DIGITS remembers a
 * refused PIN of that URL's token. ERR_CONFIG.
 */
enum err pin_init(
	const char *file, const char *token_url, struct pin *out, struct error *e) must_check;
void pin_fini(struct pin *pin);

/*
 * Before what may need the PIN: waits until no other process tries it. ERR_UNAVAILABLE if the file
 * is the one that was refused before. Always ended by pin_end().
 */
enum err pin_begin(struct pin *pin, const char *token, struct error *e) must_check;
void pin_end(struct pin *pin, bool refused);

/* GnuTLS asks: a gnutls_pin_callback_t but for its names. */
int pin_give(struct pin *pin, int attempt, unsigned flags, char *out, size_t size);

#endif

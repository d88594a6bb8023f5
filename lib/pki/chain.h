#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define CHAIN_MAX 8

/* Certificates as DER, leaf first, each followed by its issuer; the root may be left out. */
struct chain {
	size_t count;
	struct blob certificate[CHAIN_MAX];
};

void chain_free(struct chain *chain);
enum err chain_copy(const struct chain *from, struct chain *out, struct error *e) must_check;

/*
 * As one blob for the store: the DER of each, one behind the other; and back.
 * ERR_INTERNAL if what was stored is damaged.
 */
enum err chain_join(const struct chain *chain, struct blob *out, struct error *e) must_check;
enum err chain_split(const struct blob *joined, struct chain *out, struct error *e) must_check;

/* PEM certificates. ERR_CONFIG if there is none, one cannot be read, or more than CHAIN_MAX. */
enum err chain_from_pem(const struct blob *pem, struct chain *out, struct error *e) must_check;

#endif

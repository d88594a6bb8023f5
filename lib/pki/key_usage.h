#ifndef PKI_KEY_USAGE_H
#define PKI_KEY_USAGE_H

#include "base/error.h"
#include "config/vocabulary.h"

/*
 * The key usage of a certificate (RFC 5280, 4.2.1.3): what it gets and what it must have. algorithm
 * is a gnutls_pk_algorithm_t, bits are those of GnuTLS.
 */

/* Returns the bits that a certificate of ours, or a request for one, gets. */
unsigned key_usage_bits(enum usage usage, int algorithm);

/* Checks the bits that a CA set. ERR_REFUSED if one is missing, or if one allows more. */
enum err key_usage_check(
	enum usage usage, int algorithm, unsigned bits, struct error *e) must_check;

#endif

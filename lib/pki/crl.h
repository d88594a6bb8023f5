#ifndef PKI_CRL_H
#define PKI_CRL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/certificate.h"
#include "pki/issuer.h"

/* Certificate revocation lists: RFC 5280, 5. */

struct crl_entry {
	char serial[SERIAL_HEX_SIZE];
	int64_t revoked_at;
	enum revocation_reason reason;
};

struct crl_order {
	int64_t number; /* higher than that of the issuer's last one */
	int64_t this_update;
	int64_t next_update;
	const struct crl_entry *entry;
	size_t count;
};

/*
 * Signs a full list, version 2, DER, with number and authority key id; a reason that is unspecified
 * is left out. ERR_CONFIG if the issuer's certificate does not allow it to sign lists, or has
 * expired; its time may end before the list's.
 */
enum err crl_sign(const struct issuer *issuer, const struct crl_order *order, struct blob *out,
	struct error *e) must_check;

/*
 * Reads a list, DER, from a distribution point. ERR_REFUSED unless it is one that the issuer (its
 * certificate, DER) has signed. *next_update: when it ends, seconds UTC.
 */
enum err crl_verify(const struct blob *list, const struct blob *issuer, int64_t *next_update,
	struct error *e) must_check;

enum err crl_to_pem(const struct blob *der, struct blob *pem, struct error *e) must_check;

#endif

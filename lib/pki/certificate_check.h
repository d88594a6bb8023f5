#ifndef PKI_CERTIFICATE_CHECK_H
#define PKI_CERTIFICATE_CHECK_H

#include <stdint.h>

#include "config/vocabulary.h"
#include "pki/address.h"
#include "pki/certificates.h"
#include "pki/chain.h"

/* The requirements for a certificate that a CA returned. */
struct certificate_demand {
	enum usage usage;
	const struct address *address;
	const struct blob *public_key; /* SubjectPublicKeyInfo, DER */
	int64_t now;
	int64_t validity; /* seconds: the longest that we asked for */
	int64_t leeway;	  /* seconds that it may last longer */
	const struct certificates
		*issuers; /* one of them issued it, directly or through others; NULL: any */
};

/*
 * The one check of everything that a CA returns, before it is stored. ERR_REFUSED, naming what is
 * wrong, unless
 * - the leaf has our public key, and the address as its only mail address (RFC 8550, 3);
 * - its extended key usage has emailProtection and not anyExtendedKeyUsage; its key usage fits the
 *   purpose and excludes the other; it is not a CA;
 * - it is valid now, and not for longer than requested plus the leeway. Five minutes are allowed
 * for a CA's clock that is ahead;
 * - each certificate of the chain is signed by the next, which is a CA (RFC 5280, 6.1) and valid;
 *   there are no weak keys or hashes; one of the demanded issuers is above the leaf.
 * The chain must have at least the leaf's issuer. Whether its last certificate can be trusted is
 * for whoever configured the CA.
 */
enum err certificate_check(const struct chain *chain, const struct certificate_demand *demand,
	struct error *e) must_check;

#endif

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
 * The one check of everything a CA returns, before it is stored: the leaf's public key
 * is ours; address is its only mail name (RFC 8550, 3); extended key usage is or
 * contains emailProtection, without anyExtendedKeyUsage; key usage fits the purpose and
 * excludes the other; it is no CA; it is valid now (its CA's clock may be five minutes
 * ahead) and not for longer than asked, but for the leeway and those
 * five minutes; each certificate of the
 * chain is signed by the next, which is a CA (RFC 5280, 6.1) and valid; no weak keys or
 * hashes; one of the issuers that are demanded is above it. The chain must have at least the leaf's
 * issuer: the last one is not judged by us but by whoever put it there. ERR_REFUSED, naming what is
 * wrong.
 */
enum err certificate_check(const struct chain *chain, const struct certificate_demand *demand,
	struct error *e) must_check;

#endif

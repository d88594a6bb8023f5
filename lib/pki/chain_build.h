#ifndef PKI_CHAIN_BUILD_H
#define PKI_CHAIN_BUILD_H

#include "pki/certificates.h"
#include "pki/chain.h"

/*
 * The certificate for that public key (SubjectPublicKeyInfo, DER), followed by its issuers as far
 * as they are there. CAs send certificates in any order, and more than needed.
 * If there are several for the key, the one that begins last. Proves nothing:
 * certificate_check() does. ERR_REFUSED if there is none for that key.
 */
enum err chain_build(const struct certificates *from, const struct blob *public_key,
	struct chain *out, struct error *e) must_check;

/*
 * The longest chain that they make: in a set of CA certificates that of the CA that issues. If
 * there are several, the first. ERR_REFUSED if one of them cannot be read.
 */
enum err chain_longest(
	const struct certificates *from, struct chain *out, struct error *e) must_check;

#endif

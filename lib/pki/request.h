#ifndef PKI_REQUEST_H
#define PKI_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"
#include "pki/address.h"
#include "pki/key.h"
#include "pki/name.h"

/*
 * A PKCS#10 request (RFC 2986), DER, signed with the key (SHA-256), that asks for the
 * same subject, alternative name, key usage and extended key usage as issue_leaf() puts
 * in.
 */
enum err request_make(const struct key *key, enum usage usage, const struct name *subject,
	const struct address *address, struct blob *out, struct error *e) must_check;

#endif

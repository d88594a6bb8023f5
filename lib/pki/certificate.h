#ifndef PKI_CERTIFICATE_H
#define PKI_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"

#define SERIAL_HEX_SIZE 41 /* 20 octets (RFC 5280, 4.1.2.2) and a NUL */
#define DN_TEXT_SIZE 512
#define KEY_ID_HEX_SIZE 129 /* 64 octets: most have 20 */
#define SHA1_HEX_SIZE 41
#define SHA256_HEX_SIZE 65

/* ERR_INTERNAL. */
enum err certificate_to_pem(const struct blob *der, struct blob *pem, struct error *e) must_check;

/* The contents of a certificate for people and the store. */
struct certificate_info {
	char serial[SERIAL_HEX_SIZE]; /* lower-case hexadecimal, no leading zero octet */
	char subject[DN_TEXT_SIZE];   /* RFC 4514; cut if longer */
	char issuer[DN_TEXT_SIZE];
	char key_id[KEY_ID_HEX_SIZE]; /* subject key identifier, lower-case; "": it has none */
	int64_t not_before;	      /* seconds UTC */
	int64_t not_after;
	char sha1[SHA1_HEX_SIZE]; /* thumbprints of the DER */
	char sha256[SHA256_HEX_SIZE];
	bool for_clients; /* its extended key usage allows TLS clients (RFC 5280, 4.2.1.12) */
};

/* ERR_REFUSED if it cannot be read. */
enum err certificate_info(
	const struct blob *der, struct certificate_info *out, struct error *e) must_check;

/*
 * For a peer's certificate before it is used: the given code if it cannot be read, or if verifying
 * a signature with its key would take too long.
 */
enum err certificate_check_cost(const struct blob *der, enum err code, struct error *e) must_check;

#endif

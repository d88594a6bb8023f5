#ifndef TESTS_PEERS_ESCROW_JUDGE_H
#define TESTS_PEERS_ESCROW_JUDGE_H

#include <gnutls/gnutls.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Everything that a real Escrow Gateway could find wrong with a client or with
 * an upload. Refusals come as ERR_FORBIDDEN (the client), ERR_MALFORMED (the
 * body is not JSON) and ERR_UNPROCESSABLE (any other fault), with a text that
 * names the place: "signing[0]: no private key in it".
 */

enum part { PART_SIGNING, PART_ENCRYPTION, PART_ARCHIVED, PART_COUNT };

extern const char *const part_names[PART_COUNT];

#define CREDENTIALS_MAX 64

/* A credential: which certificate and which key it has, as SHA-256, and whose it is. */
struct credential {
	enum part part;
	unsigned char certificate[32];
	unsigned char key[32];
	char serial[65]; /* lower-case hexadecimal */
	char mail[256];
};

/* What an upload says, as far as it could be read before something was wrong. */
struct upload {
	char device_uuid[37];
	char user_uuid[37];
	unsigned counts[PART_COUNT];
	unsigned count; /* of credentials, in the order of the parts */
	struct credential credential[CREDENTIALS_MAX];
};

#define THUMBPRINT_SIZE 65

/*
 * The client certificate, PEM in URL encoding as nginx passes it, against a
 * file of thumbprints: SHA-1 or SHA-256 in hexadecimal, one a line, colons
 * allowed, # begins a comment. Writes the SHA-256 thumbprint if there is a
 * certificate at all.
 */
enum err judge_client(const char *escaped_pem, const char *list_path, char out[THUMBPRINT_SIZE],
	struct error *e) must_check;

/* The same certificate: .NET takes none for a client whose extended key usage lacks clientAuth. */
enum err judge_client_purpose(const char *escaped_pem, struct error *e) must_check;

/* certificate-payload.json. password opens each PKCS#12 file; NULL: they have none. */
enum err judge_upload(const char *body, size_t len, const char *password, struct upload *out,
	struct error *e) must_check;

/*
 * One PKCS#12 file: one private key, its certificate, fit for the part it is
 * in, and that certificate's issuer.
 */
enum err judge_pkcs12(const gnutls_datum_t *der, const char *password, enum part part,
	struct credential *out, struct error *e) must_check;

#endif

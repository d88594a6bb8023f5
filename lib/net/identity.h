#ifndef NET_IDENTITY_H
#define NET_IDENTITY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * A TLS client identity from a PKCS#12 file, as libcurl's GnuTLS backend can use
 * it: certificate chain and key as PEM in a sealed memory file, never on disk.
 */
struct identity;

/* Opens the file with the password in password_file (NULL: none). ERR_CONFIG. */
enum err identity_open(const char *pkcs12_file, const char *password_file, struct identity **out,
	struct error *e) must_check;
void identity_close(struct identity *identity);

/* "/proc/self/fd/N", for CURLOPT_SSLCERT and CURLOPT_SSLKEY; lives as long as identity. */
const char *identity_path(const struct identity *identity);

/* The client certificate, DER; lives as long as identity. */
const struct blob *identity_certificate(const struct identity *identity);

/* When the client certificate ends, in seconds since 1970. An identity that has ended opens. */
int64_t identity_not_after(const struct identity *identity);

#endif

#ifndef TESTS_PEERS_TLS_HUGE_KEY_H
#define TESTS_PEERS_TLS_HUGE_KEY_H

#include <gnutls/abstract.h>

/*
 * A certificate with an RSA modulus and exponent of so many random bits, issued by issuer, and a
 * key for it that signs with random bytes: to find out that they are wrong takes a client the same
 * time as if they were right. A GnuTLS code.
 */
int huge_key_use(gnutls_certificate_credentials_t credentials, gnutls_x509_crt_t issuer,
	gnutls_x509_privkey_t issuer_key, unsigned bits, unsigned exponent_bits);

#endif

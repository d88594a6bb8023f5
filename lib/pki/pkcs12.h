#ifndef PKI_PKCS12_H
#define PKI_PKCS12_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "pki/chain.h"

/*
 * Our own encoder of PKCS#12 (RFC 7292): GnuTLS's has a fixed count of 600,000
 * iterations, several hundred milliseconds of CPU a file. Legacy:
 * pbeWithSHA1And3-KeyTripleDES-CBC for key and certificates, HMAC-SHA1. Modern: PBES2
 * with PBKDF2-HMAC-SHA256 and AES-256-CBC, HMAC-SHA256 (RFC 8018, RFC 9579's choice of
 * hashes).
 */
struct pkcs12_options {
	enum pkcs12_profile profile;
	unsigned iterations;
	const char *password; /* UTF-8; NULL: none, written as the empty password */
};

/* A credential on its way into a file. */
struct pkcs12_entry {
	const struct blob *pkcs8; /* PrivateKeyInfo, DER */
	const struct chain *chain;
	const char *friendly_name; /* UTF-8; NULL or "": none */
};

/*
 * One or more keys, each with its certificate (localKeyID, friendlyName), in the order of
 * the entries; behind them the rest of their chains, in its order and without
 * attributes, each certificate once. The result is freed with blob_free().
 *
 * Where a file has several, most programs want a friendlyName of its own for each.
 *
 * A password should be ASCII where Java reads the file: with any other it opens no
 * legacy file, and a modern one only in late versions; OpenSSL's files fare the same.
 * The empty one is written as RFC 7292, B.1 makes it, as two zero bytes: iOS, OpenSSL,
 * NSS, Java and GnuTLS read that (the other form, of no bytes, is not for iOS); macOS
 * does not, so a real password is better. A character of friendly_name beyond the BMP
 * becomes U+FFFD.
 *
 * ERR_INTERNAL; ERR_CONFIG for a password that is over 1024 bytes, not UTF-8 or beyond
 * the BMP (BMPString, RFC 7292, B.1).
 */
enum err pkcs12_encode(const struct pkcs12_entry *entries, size_t count,
	const struct pkcs12_options *options, struct blob *out, struct error *e) must_check;

/* Checks that pkcs12_encode() accepts that password. ERR_CONFIG as there. */
enum err pkcs12_check_password(const char *password, struct error *e) must_check;

#endif

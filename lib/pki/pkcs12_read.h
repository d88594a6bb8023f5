#ifndef PKI_PKCS12_READ_H
#define PKI_PKCS12_READ_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Reads a PKCS#12 file (.pfx, .p12; RFC 7292) from any tool, a secret file, with the password in
 * password_file (NULL: none). *out is PEM: the key's certificate, the others of the file, the key,
 * not encrypted. Secret: blob_free() it at once. ERR_CONFIG, naming file and remedy, also for a
 * file with several keys.
 */
enum err pkcs12_read(
	const char *file, const char *password_file, struct blob *out, struct error *e) must_check;

#endif

#ifndef PKI_PKCS12_FAULT_H
#define PKI_PKCS12_FAULT_H

#include <gnutls/pkcs12.h>
#include <stdbool.h>

#include "base/error.h"

/* A PKCS#12 file that cannot be used, and all that is known of why. */
struct pkcs12_fault {
	gnutls_pkcs12_t p12;
	int code;		   /* GnuTLS's */
	const char *file;	   /* its name */
	const char *password_file; /* NULL: no password */
	const char *password;	   /* likewise */
};

/* ERR_CONFIG with the cause and what to do about the file. Never ERR_OK. */
enum err pkcs12_explain(const struct pkcs12_fault *fault, struct error *e);

/*
 * Private keys that can be seen without a password: in the usual layout each key is encrypted
 * alone, in a safe that is not encrypted.
 */
int pkcs12_count_keys(gnutls_pkcs12_t p12);

/*
 * The MAC proves the password and the content. 0: it is right; 1: the file has none; below: the
 * code of GnuTLS.
 */
int pkcs12_check_mac(gnutls_pkcs12_t p12, const char *password);

#endif

#ifndef UNIT_PKCS12_SUBJECTS_H
#define UNIT_PKCS12_SUBJECTS_H

#include <gnutls/x509.h>

#include "base/buf.h"
#include "pki/chain.h"

/* A key with its certificate and that of its CA. */
struct subject {
	struct blob pkcs8;
	struct chain chain;
};

extern struct subject rsa, ec, sibling; /* sibling has the CA that ec has */

/* For cmocka, before and after all tests. */
int subjects_make(void **state);
int subjects_free(void **state);

/* For blob_free(). */
struct blob certificate_der(gnutls_x509_crt_t crt);

#endif

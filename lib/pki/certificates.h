#ifndef PKI_CERTIFICATES_H
#define PKI_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Certificates as DER, in no order. */
#define CERTIFICATES_MAX 32
struct certificates {
	size_t count;
	struct blob certificate[CERTIFICATES_MAX];
};

void certificates_free(struct certificates *certificates);

/*
 * Adds the certificates in the output of a CA or a program, in any form: DER, one or several; a
 * PKCS#7 message with certificates (RFC 8551, 3.2.3); PEM of either (RFC 7468), whatever its label
 * says and whatever stands between the blocks; base64 of any of these, also twice, with or without
 * line breaks and padding. ERR_REFUSED if there is none, one cannot be read, or there are more than
 * CERTIFICATES_MAX; then some may have been added.
 */
enum err certificates_add(struct certificates *certificates, const void *bytes, size_t len,
	struct error *e) must_check;

/* Adds one certificate, DER. Errors as above. */
enum err certificates_add_der(
	struct certificates *certificates, const void *der, size_t len, struct error *e) must_check;

/* Adds those of a file, in any form. ERR_CONFIG, naming it. */
enum err certificates_add_file(
	struct certificates *certificates, const char *path, struct error *e) must_check;

/* Returns true if that certificate, DER, is one of them. */
bool certificates_have(const struct certificates *certificates, const struct blob *der);

/*
 * Adds those that it does not have, as far as there is room, without copying them: *all borrows,
 * and is not to be freed.
 */
void certificates_borrow(struct certificates *all, const struct certificates *more);

#endif

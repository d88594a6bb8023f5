/*
 * Sets of certificates, read in any form that CAs and their programs write. The bytes decide, not a
 * content type or a PEM label.
 */

#include "pki/certificates.h"

#include <ctype.h>
#include <gnutls/pkcs7.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/certificate.h"
#include "pki/x509.h"

#define DEPTH_MAX 4 /* PEM in base64 in base64 */

void certificates_free(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++)
		blob_free(&certificates->certificate[i]);
	certificates->count = 0;
}

static enum err read_form(struct certificates *certificates, const unsigned char *bytes, size_t len,
	int depth, struct error *e);

/* --- DER */

enum err certificates_add_der(
	struct certificates *certificates, const void *der, size_t len, struct error *e)
{
	const struct blob blob = {(unsigned char *)(uintptr_t)der, len};
	enum err err = certificate_check_cost(&blob, ERR_REFUSED, e);

	if (!err && certificates->count == CERTIFICATES_MAX)
		err = error_set(e, ERR_REFUSED, "more than %d certificates", CERTIFICATES_MAX);
	if (!err)
		err = blob_copy(der, len, &certificates->certificate[certificates->count], e);
	certificates->count += !err;
	return err;
}

static enum err add_all(struct certificates *certificates, gnutls_pkcs7_t pkcs7, struct error *e)
{
	int count = gnutls_pkcs7_get_crt_count(pkcs7);
	enum err err = ERR_OK;

	if (count < 1)
		return error_set(e, ERR_REFUSED, "a PKCS#7 message without a certificate");
	for (int i = 0; i < count && !err; i++) {
		gnutls_datum_t der = {NULL, 0};
		int rc = gnutls_pkcs7_get_crt_raw2(pkcs7, (unsigned)i, &der);

		if (rc < 0)
			return x509_error(e, ERR_REFUSED, rc, "certificate in PKCS#7");
		err = certificates_add_der(certificates, der.data, der.size, e);
		gnutls_free(der.data);
	}
	return err;
}

static enum err add_pkcs7(
	struct certificates *certificates, const void *der, size_t len, struct error *e)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)der, (unsigned)len};
	gnutls_pkcs7_t pkcs7 = NULL;
	enum err err;
	int rc = gnutls_pkcs7_init(&pkcs7);

	if (rc >= 0)
		rc = gnutls_pkcs7_import(pkcs7, &data, GNUTLS_X509_FMT_DER);
	err = rc < 0 ? x509_error(e, ERR_REFUSED, rc, "no PKCS#7 message that can be read")
		     : add_all(certificates, pkcs7, e);
	if (pkcs7)
		gnutls_pkcs7_deinit(pkcs7);
	return err;
}

/* The SEQUENCE that begins here; 0: none does, or it is cut. BER's has no length: all that is left.
 */
static size_t element_length(const unsigned char *p, size_t len)
{
	return len > 1 && p[0] == 0x30 && p[1] == 0x80 ? len : x509_sequence_length(p, len);
}

/* A ContentInfo begins with an object identifier (RFC 5652, 3), a certificate with a SEQUENCE. */
static bool is_content_info(const unsigned char *p, size_t len)
{
	size_t header = 2 + (p[1] > 0x80 ? p[1] & 0x7f : 0U);

	return len > header && p[header] == 0x06;
}

static bool is_blank(unsigned char c)
{
	return c == '\0' || isspace(c);
}

/* DER certificates in a row; some programs put line breaks between them. */
static enum err read_der(
	struct certificates *certificates, const unsigned char *der, size_t len, struct error *e)
{
	enum err err = ERR_OK;

	while (len && !err) {
		size_t one = element_length(der, len);

		if (!one)
			return error_set(e, ERR_REFUSED, "certificates in DER that end too early");
		err = is_content_info(der, one) ? add_pkcs7(certificates, der, one, e)
						: certificates_add_der(certificates, der, one, e);
		der += one;
		len -= one;
		while (len && is_blank(*der)) {
			der++;
			len--;
		}
	}
	return err;
}

/* --- base64 */

/* Returns the length of separators at s: white space, and "\n" where JSON's was escaped twice. */
static size_t between(const unsigned char *s, size_t len)
{
	if (is_blank(*s))
		return 1;
	return len > 1 && *s == '\\' && strchr("nrt", s[1]) && s[1] ? 2 : 0;
}

/* Either alphabet, any line length and line end, padded or not. */
static bool unbase64(const unsigned char *s, size_t len, struct buf *out)
{
	struct buf digits = BUF_INIT(len + 4);
	bool good;

	while (len) {
		size_t skip = between(s, len);

		if (!skip)
			buf_putc(&digits, (char)(*s == '-' ? '+' : *s == '_' ? '/' : *s));
		s += skip ? skip : 1;
		len -= skip ? skip : 1;
	}
	while (digits.len % 4)
		buf_putc(&digits, '=');
	good = !digits.failed && digits.len && text_unbase64(digits.data, digits.len, out);
	buf_free(&digits);
	return good;
}

static enum err read_base64(struct certificates *certificates, const unsigned char *s, size_t len,
	int depth, struct error *e)
{
	struct buf inner = BUF_INIT(len);
	enum err err;

	if (unbase64(s, len, &inner))
		err = read_form(
			certificates, (const unsigned char *)inner.data, inner.len, depth + 1, e);
	else
		err = error_set(
			e, ERR_REFUSED, "no certificate in DER, PEM or base64 that can be read");
	buf_free(&inner);
	return err;
}

/* --- PEM */

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

static const unsigned char *find(
	const unsigned char *from, const unsigned char *end, const char *words)
{
	return memmem(from, (size_t)(end - from), words, strlen(words));
}

/* A program's other output, such as a key or the request, is skipped. */
static bool is_wanted(const char *label, size_t len)
{
	static const char *const wanted[] = {"CERTIFICATE", "X509 CERTIFICATE",
		"TRUSTED CERTIFICATE", "CERTIFICATE CHAIN", "PKCS7", "PKCS #7 SIGNED DATA", "CMS"};

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (strlen(wanted[i]) == len && memcmp(wanted[i], label, len) == 0)
			return true;
	return false;
}

/* OpenSSL's trusted certificates are followed by what they are trusted for. */
static enum err read_trusted(
	struct certificates *certificates, const unsigned char *s, size_t len, struct error *e)
{
	struct buf der = BUF_INIT(len);
	size_t first = 0;
	enum err err;

	if (unbase64(s, len, &der))
		first = x509_sequence_length((const unsigned char *)der.data, der.len);
	err = certificates_add_der(certificates, der.data, first, e);
	buf_free(&der);
	return err;
}

/* A block's label begins at *at, which moves behind the block. */
static enum err read_block(struct certificates *certificates, const unsigned char **at,
	const unsigned char *end, int depth, bool *found, struct error *e)
{
	static const char trusted[] = "TRUSTED CERTIFICATE";
	const unsigned char *label = *at, *body = find(label, end, DASHES);
	const unsigned char *stop = body ? find(body, end, END) : NULL;
	size_t len;

	if (!stop)
		return error_set(e, ERR_REFUSED, "a certificate in PEM without its end");
	*at = stop + strlen(END);
	len = (size_t)(body - label);
	if (!is_wanted((const char *)label, len))
		return ERR_OK;
	*found = true;
	body += strlen(DASHES);
	if (body > stop)
		return error_set(e, ERR_REFUSED, "a certificate in PEM that is empty");
	if (len == strlen(trusted) && memcmp(label, trusted, len) == 0)
		return read_trusted(certificates, body, (size_t)(stop - body), e);
	return read_base64(certificates, body, (size_t)(stop - body), depth, e);
}

static enum err read_pem(struct certificates *certificates, const unsigned char *text, size_t len,
	int depth, struct error *e)
{
	const unsigned char *end = text + len, *at = find(text, end, BEGIN);
	bool found = false;
	enum err err = ERR_OK;

	while (at && !err) {
		at += strlen(BEGIN);
		err = read_block(certificates, &at, end, depth, &found, e);
		if (!err)
			at = find(at, end, BEGIN);
	}
	if (!err && !found)
		err = error_set(e, ERR_REFUSED, "no certificate in PEM that can be read");
	return err;
}

/* --- any form */

static enum err read_form(struct certificates *certificates, const unsigned char *bytes, size_t len,
	int depth, struct error *e)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf}; /* U+FEFF in UTF-8 */

	if (depth >= DEPTH_MAX)
		return error_set(e, ERR_REFUSED, "base64 in base64, more than %d times", depth);
	if (len >= sizeof(mark) && memcmp(bytes, mark, sizeof(mark)) == 0) {
		bytes += sizeof(mark);
		len -= sizeof(mark);
	}
	while (len && is_blank(*bytes)) {
		bytes++;
		len--;
	}
	if (!len)
		return error_set(e, ERR_REFUSED, "no certificate: it is empty");
	if (element_length(bytes, len))
		return read_der(certificates, bytes, len, e);
	if (find(bytes, bytes + len, BEGIN))
		return read_pem(certificates, bytes, len, depth, e);
	return read_base64(certificates, bytes, len, depth, e);
}

enum err certificates_add(
	struct certificates *certificates, const void *bytes, size_t len, struct error *e)
{
	return read_form(certificates, bytes, len, 0, e);
}

enum err certificates_add_file(struct certificates *certificates, const char *path, struct error *e)
{
	struct blob content = {NULL, 0};
	enum err err = file_read(path, &content, e);

	if (err)
		return err;
	err = certificates_add(certificates, content.data, content.len, e);
	blob_free(&content);
	return err ? error_set(e, ERR_CONFIG, "%s: %s", path, e->text) : ERR_OK;
}

/* --- sets */

bool certificates_have(const struct certificates *certificates, const struct blob *der)
{
	for (size_t i = 0; i < certificates->count; i++)
		if (blob_equal(&certificates->certificate[i], der))
			return true;
	return false;
}

void certificates_borrow(struct certificates *all, const struct certificates *more)
{
	for (size_t i = 0; i < more->count && all->count < CERTIFICATES_MAX; i++)
		if (!certificates_have(all, &more->certificate[i]))
			all->certificate[all->count++] = more->certificate[i];
}

/* The simulated certificate authority: forms that several protocols have in common. */

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/peers/certificate-authority.h"

#define TEXT_MAX (1024 * 1024)
#define PKCS7_MAX 65536

void form_base64(struct buf *out, const void *data, size_t len, size_t width)
{
	struct buf line = BUF_INIT(TEXT_MAX);

	buf_base64(&line, data, len);
	if (!width)
		buf_append(out, line.data, line.len);
	for (size_t at = 0; width && at < line.len; at += width) {
		buf_append(out, line.data + at, line.len - at < width ? line.len - at : width);
		buf_putc(out, '\n');
	}
	buf_free(&line);
}

/* Takes one line off; false: it has no end. */
static bool take_line(const char **text, size_t *len, size_t *length)
{
	const char *end = memchr(*text, '\n', *len);

	if (!end)
		return false;
	*length = (size_t)(end - *text);
	*len -= *length + 1;
	*text = end + 1;
	if (*length && end[-1] == '\r')
		(*length)--;
	return true;
}

bool form_unbase64(const char *text, size_t len, size_t width, struct buf *out)
{
	struct buf joined = BUF_INIT(TEXT_MAX);
	bool good = len > 0, last = false;

	if (!width)
		return good && text_unbase64(text, len, out);
	while (good && len) {
		const char *line = text;
		size_t length = 0;

		good = !last && take_line(&text, &len, &length) && length > 0 && length <= width;
		last = length < width;
		if (good)
			buf_append(&joined, line, length);
	}
	good = good && joined.data && text_unbase64(joined.data, joined.len, out);
	buf_free(&joined);
	return good;
}

bool form_unpem(const char *text, size_t len, const char *label, struct buf *out)
{
	char begin[128], end[128];
	size_t first, last;

	snprintf(begin, sizeof(begin), "-----BEGIN %s-----\n", label);
	snprintf(end, sizeof(end), "-----END %s-----", label);
	first = strlen(begin);
	last = strlen(end);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len <= first + last || memcmp(text, begin, first) != 0 ||
		memcmp(text + len - last, end, last) != 0)
		return false;
	return form_unbase64(text + first, len - first - last, 64, out);
}

void form_pem(struct buf *out, const char *label, const struct blob *der)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	form_base64(out, der->data, der->len, 64);
	buf_printf(out, "-----END %s-----\n", label);
}

const char *form_member(const cJSON *object, const char *name)
{
	const char *text = json_text(object, name);

	return text ? text : "";
}

bool form_object(const struct exchange *x, const char *const members[], cJSON **out)
{
	struct error e;
	cJSON *object = NULL;
	int count = 0;

	if (strcmp(x->type, "application/json") != 0 || !x->body.len ||
		json_object(x->body.data, x->body.len, &object, &e))
		return false;
	while (members[count] && cJSON_GetObjectItemCaseSensitive(object, members[count]))
		count++;
	if (members[count] || cJSON_GetArraySize(object) != count) {
		cJSON_Delete(object);
		return false;
	}
	*out = object;
	return true;
}

/* Tag and length before what is there (X.690, 8.1). */
static void wrap(struct buf *b, unsigned char tag)
{
	struct buf content = *b;
	unsigned char head[5] = {tag};
	size_t len = content.len, octets = 0;

	if (len < 0x80) {
		head[1] = (unsigned char)len;
	} else {
		while (len >> (8 * octets))
			octets++;
		head[1] = (unsigned char)(0x80 + octets);
		for (size_t i = 0; i < octets; i++)
			head[2 + i] = (unsigned char)(len >> (8 * (octets - 1 - i)));
	}
	buf_init(b, content.limit);
	buf_append(b, head, 2 + octets);
	if (content.len)
		buf_append(b, content.data, content.len);
	buf_free(&content);
}

/* By hand: GnuTLS sorts the certificates, as DER has it, and the order would be chance. */
void form_pkcs7(struct buf *out, const struct blob *der, size_t count)
{
	static const unsigned char signed_data[] = {
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
	/* version 1, no digests, content of type data, none of it */
	static const unsigned char begin[] = {0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0b, 0x06, 0x09,
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	static const unsigned char no_signers[] = {0x31, 0x00};
	struct buf list = BUF_INIT(PKCS7_MAX), data = BUF_INIT(PKCS7_MAX);

	for (size_t i = 0; i < count; i++)
		buf_append(&list, der[i].data, der[i].len);
	wrap(&list, 0xa0);
	buf_append(&data, begin, sizeof(begin));
	buf_append(&data, list.data, list.len);
	buf_append(&data, no_signers, sizeof(no_signers));
	wrap(&data, 0x30);
	wrap(&data, 0xa0);
	buf_append(out, signed_data, sizeof(signed_data));
	buf_append(out, data.data, data.len);
	wrap(out, 0x30);
	buf_free(&list);
	buf_free(&data);
}

void form_json_pem(struct buf *out, const struct blob *der)
{
	struct buf pem = BUF_INIT(65536);

	form_pem(&pem, "CERTIFICATE", der);
	while (pem.len && pem.data[pem.len - 1] == '\n')
		buf_truncate(&pem, pem.len - 1);
	buf_json_string(out, pem.data);
	buf_free(&pem);
}

const struct blob *form_issuing(const struct blob chain[AUTHORITY_CHAIN])
{
	for (size_t i = 0; i < AUTHORITY_CHAIN; i++) {
		const gnutls_datum_t der = {chain[i].data, (unsigned)chain[i].len};
		gnutls_x509_crt_t crt = NULL;
		bool root;

		if (gnutls_x509_crt_init(&crt) < 0)
			return &chain[i];
		root = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) < 0 ||
		       gnutls_x509_crt_check_issuer(crt, crt);
		gnutls_x509_crt_deinit(crt);
		if (!root)
			return &chain[i];
	}
	return &chain[0];
}

bool form_hex_serial(const char *decimal, char out[SERIAL_HEX_MAX])
{
	unsigned char octets[20] = {0};
	size_t skip = 0;

	if (!*decimal || *decimal == '0' || decimal[strspn(decimal, "0123456789")])
		return false;
	for (; *decimal; decimal++) {
		unsigned carry = (unsigned)(*decimal - '0');

		for (size_t i = sizeof(octets); i-- > 0; carry >>= 8) {
			carry += 10U * octets[i];
			octets[i] = (unsigned char)carry;
		}
		if (carry)
			return false;
	}
	while (skip < sizeof(octets) && !octets[skip])
		skip++;
	text_hex(octets + skip, sizeof(octets) - skip, out);
	return true;
}

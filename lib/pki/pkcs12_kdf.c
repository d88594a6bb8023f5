/*
 * PKCS#12's own key derivation (RFC 7292, appendix B) and passwords as it wants them. GnuTLS has
 * it, but does not export it.
 */

#include "pki/pkcs12_kdf.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "base/secret.h"
#include "base/utf8.h"

#define BLOCK_SIZE 64 /* v in B.2 */
#define HASH_MAX 32   /* u in B.2 */
#define PASSWORD_MAX 1024
#define INPUT_MAX (8 * PASSWORD_MAX)
#define REPLACEMENT_CHARACTER 0xfffdu

bool pkcs12_bmp_string(const char *utf8, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)utf8;
	bool all_fit = true;

	while (*p) {
		size_t size = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
		unsigned c = *p;

		if (size == 2)
			c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		if (size == 3)
			c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
		if (size == 4) {
			c = REPLACEMENT_CHARACTER;
			all_fit = false;
		}
		buf_putc(out, (char)(c >> 8));
		buf_putc(out, (char)(c & 0xff));
		p += size;
	}
	return all_fit;
}

enum err pkcs12_password(const char *utf8, struct blob *out, struct error *e)
{
	struct buf bmp = BUF_INIT(2 * PASSWORD_MAX + 2);
	enum err err = ERR_OK;

	if (!utf8)
		utf8 = "";
	if (strlen(utf8) > PASSWORD_MAX)
		err = error_set(
			e, ERR_CONFIG, "PKCS#12 password: longer than %d bytes", PASSWORD_MAX);
	else if (!utf8_is_valid(utf8, strlen(utf8)))
		err = error_set(e, ERR_CONFIG, "PKCS#12 password: not UTF-8");
	else if (!pkcs12_bmp_string(utf8, &bmp))
		err = error_set(e, ERR_CONFIG,
			"PKCS#12 password: has a character beyond U+FFFF, which the format has no "
			"room for (RFC 7292, B.1): choose another password");
	buf_append(&bmp, "\0", 2);
	if (!err && bmp.failed)
		err = error_memory(e);
	if (!err)
		err = blob_take(&bmp, out, e);
	buf_free(&bmp);
	return err;
}

/* S and P of B.2: copies of s, the last one cut, up to a multiple of the block. */
static void append_repeated(struct buf *input, const unsigned char *s, size_t len)
{
	size_t total = (len + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;

	for (size_t i = 0; i < total; i++)
		buf_putc(input, (char)s[i % len]);
}

/* Steps 1 to 4: D || I, where D is a block of the id, and I is S || P. */
static void prepare_input(const struct pkcs12_kdf *kdf, enum pkcs12_kdf_id id, struct buf *input)
{
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		buf_putc(input, (char)id);
	append_repeated(input, kdf->salt, kdf->salt_len);
	append_repeated(input, kdf->password->data, kdf->password->len);
}

/* Step 6A: the hash of the hash of ... of D || I. */
static int hash_often(gnutls_hash_hd_t hash, const struct buf *input, size_t hash_len,
	unsigned iterations, unsigned char a[HASH_MAX])
{
	int rc = gnutls_hash(hash, input->data, input->len);

	for (unsigned i = 1; i < iterations && rc >= 0; i++) {
		gnutls_hash_output(hash, a);
		rc = gnutls_hash(hash, a, hash_len);
	}
	gnutls_hash_output(hash, a);
	return rc;
}

/* Steps 6B and 6C: each block of I, a big-endian number, grows by B + 1, B being copies of A. */
static void change_input(struct buf *input, const unsigned char a[HASH_MAX], size_t hash_len)
{
	for (size_t block = BLOCK_SIZE; block < input->len; block += BLOCK_SIZE) {
		unsigned char *number = (unsigned char *)input->data + block;
		unsigned sum = 1;

		for (size_t i = BLOCK_SIZE; i-- > 0;) {
			sum += (unsigned)number[i] + a[i % hash_len];
			number[i] = sum & 0xff;
			sum >>= 8;
		}
	}
}

enum err pkcs12_derive(const struct pkcs12_kdf *kdf, enum pkcs12_kdf_id id, unsigned char *out,
	size_t len, struct error *e)
{
	size_t hash_len = gnutls_hash_get_len(kdf->hash);
	struct buf input = BUF_INIT(INPUT_MAX);
	unsigned char a[HASH_MAX] = {0};
	gnutls_hash_hd_t hash = NULL;
	enum err err = ERR_OK;
	int rc;

	if (hash_len > sizeof(a))
		return error_set(e, ERR_INTERNAL, "PKCS#12 key derivation: not with this hash");
	rc = gnutls_hash_init(&hash, kdf->hash);
	prepare_input(kdf, id, &input);
	while (rc >= 0 && !input.failed && len > 0) {
		size_t n = len < hash_len ? len : hash_len;

		rc = hash_often(hash, &input, hash_len, kdf->iterations, a);
		change_input(&input, a, hash_len);
		memcpy(out, a, n);
		out += n;
		len -= n;
	}
	if (rc < 0)
		err = error_set(e, ERR_INTERNAL, "PKCS#12 key derivation: %s", gnutls_strerror(rc));
	else if (input.failed)
		err = error_memory(e);
	if (hash)
		gnutls_hash_deinit(hash, NULL);
	secret_wipe(a, sizeof(a));
	buf_free(&input);
	return err;
}

/*
 * Signs JSON Web Tokens. We have our own code because the key may lie in an HSM: the JOSE libraries
 * want the key itself, GnuTLS signs by a handle.
 */

#include "ca/jwt.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/text.h"

#define TOKEN_MAX (64 * 1024)

static const struct algorithm {
	gnutls_pk_algorithm_t pk;
	size_t octets; /* of r and of s; 0: the signature is one number */
	const char *name;
	gnutls_sign_algorithm_t sign;
} algorithms[] = {
	{GNUTLS_PK_RSA, 0, "RS256", GNUTLS_SIGN_RSA_SHA256},
	{GNUTLS_PK_ECDSA, 32, "ES256", GNUTLS_SIGN_ECDSA_SHA256},
	{GNUTLS_PK_ECDSA, 48, "ES384", GNUTLS_SIGN_ECDSA_SHA384},
	{GNUTLS_PK_ECDSA, 66, "ES512", GNUTLS_SIGN_ECDSA_SHA512},
};

/* --- base64url */

static char swap(char c, const char *from, const char *to)
{
	const char *p = strchr(from, c);

	return p ? to[p - from] : c;
}

void jwt_base64url(struct buf *out, const void *data, size_t len)
{
	size_t at = out->len;

	buf_base64(out, data, len);
	for (size_t i = at; !out->failed && i < out->len; i++) {
		if (out->data[i] == '=')
			buf_truncate(out, i);
		else
			out->data[i] = swap(out->data[i], "+/", "-_");
	}
}

bool jwt_unbase64url(const char *s, size_t len, struct buf *out)
{
	struct buf standard = BUF_INIT(TOKEN_MAX);
	bool done = !memchr(s, '+', len) && !memchr(s, '/', len) && !memchr(s, '=', len) &&
		    !memchr(s, '\0', len);

	for (size_t i = 0; done && i < len; i++)
		buf_putc(&standard, swap(s[i], "-_", "+/"));
	while (done && standard.len % 4 && !standard.failed)
		buf_putc(&standard, '=');
	done = done && !standard.failed &&
	       (standard.len == 0 || text_unbase64(standard.data, standard.len, out));
	buf_free(&standard);
	return done;
}

/* --- signatures */

static const struct algorithm *find(gnutls_privkey_t key)
{
	unsigned bits = 0;
	int pk = gnutls_privkey_get_pk_algorithm(key, &bits);

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if ((int)algorithms[i].pk == pk &&
			(!algorithms[i].octets || algorithms[i].octets == (bits + 7) / 8))
			return &algorithms[i];
	return NULL;
}

const char *jwt_algorithm(struct gnutls_privkey_st *key)
{
	const struct algorithm *algorithm = find(key);

	return algorithm ? algorithm->name : NULL;
}

static enum err failed(int rc, struct error *e)
{
	return error_set(e, ERR_UNAVAILABLE, "the key cannot sign: %s", gnutls_strerror(rc));
}

/* ASN.1 numbers vary in length; here each has all its octets. */
static void put_number(struct buf *out, const gnutls_datum_t *number, size_t octets)
{
	size_t skip = number->size > octets ? number->size - octets : 0;

	for (size_t i = number->size; i < octets; i++)
		buf_putc(out, '\0');
	buf_append(out, number->data + skip, number->size - skip);
}

static enum err put_pair(
	struct buf *out, const gnutls_datum_t *signature, size_t octets, struct error *e)
{
	gnutls_datum_t r = {NULL, 0}, s = {NULL, 0};
	int rc = gnutls_decode_rs_value(signature, &r, &s);

	if (rc < 0)
		return failed(rc, e);
	put_number(out, &r, octets);
	put_number(out, &s, octets);
	gnutls_free(r.data);
	gnutls_free(s.data);
	return buf_check(out, e);
}

enum err jwt_signature(struct gnutls_privkey_st *key, const void *input, size_t len,
	struct buf *out, struct error *e)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)input, (unsigned)len};
	const struct algorithm *algorithm = find(key);
	gnutls_datum_t signature = {NULL, 0};
	enum err err = ERR_OK;
	int rc;

	if (!algorithm)
		return error_set(e, ERR_CONFIG, "no token can be signed with a key of that type");
	rc = gnutls_privkey_sign_data2(key, algorithm->sign, 0, &data, &signature);
	if (rc < 0)
		return failed(rc, e);
	if (algorithm->octets)
		err = put_pair(out, &signature, algorithm->octets, e);
	else
		buf_append(out, signature.data, signature.size);
	gnutls_free(signature.data);
	return err ? err : buf_check(out, e);
}

/* --- tokens */

enum err jwt_sign(struct gnutls_privkey_st *key, const char *header, const char *claims,
	struct buf *out, struct error *e)
{
	struct buf head = BUF_INIT(TOKEN_MAX), token = BUF_INIT(TOKEN_MAX);
	struct buf signature = BUF_INIT(TOKEN_MAX);
	const char *algorithm = jwt_algorithm(key);
	enum err err;

	buf_printf(
		&head, "{\"alg\":\"%s\",\"typ\":\"JWT\",%s}", algorithm ? algorithm : "", header);
	err = buf_check(&head, e);
	if (!err) {
		jwt_base64url(&token, head.data, head.len);
		buf_putc(&token, '.');
		jwt_base64url(&token, claims, strlen(claims));
		err = buf_check(&token, e);
	}
	if (!err)
		err = jwt_signature(key, token.data, token.len, &signature, e);
	if (!err) {
		buf_putc(&token, '.');
		jwt_base64url(&token, signature.data, signature.len);
		err = buf_check(&token, e);
	}
	if (!err)
		buf_append(out, token.data, token.len);
	buf_free(&signature);
	buf_free(&token);
	buf_free(&head);
	return err ? err : buf_check(out, e);
}

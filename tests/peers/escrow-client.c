/* The client certificate: on the list, and within its time. */

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "tests/peers/escrow-judge.h"

#define PEM_MAX 65536

static void unescape(const char *s, struct buf *out)
{
	for (; *s; s++) {
		char digits[3] = {s[1], s[1] ? s[2] : '\0', '\0'};
		unsigned char c = 0;

		if (*s == '%' && text_unhex(digits, &c, 1)) {
			buf_putc(out, (char)c);
			s += 2;
		} else {
			buf_putc(out, *s);
		}
	}
}

static enum err import(const char *escaped_pem, gnutls_x509_crt_t certificate, struct error *e)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	gnutls_datum_t datum;
	enum err err;

	unescape(escaped_pem, &pem);
	err = buf_check(&pem, e);
	if (!err) {
		datum = (gnutls_datum_t){(unsigned char *)pem.data, (unsigned)pem.len};
		if (gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM) < 0)
			err = error_set(e, ERR_FORBIDDEN, "client certificate: unreadable");
	}
	buf_free(&pem);
	return err;
}

static enum err thumbprint(gnutls_x509_crt_t certificate, gnutls_digest_algorithm_t algorithm,
	char *hex, struct error *e)
{
	unsigned char digest[32];
	size_t len = sizeof(digest);

	if (gnutls_x509_crt_get_fingerprint(certificate, algorithm, digest, &len) < 0)
		return error_set(e, ERR_INTERNAL, "client certificate: no fingerprint");
	text_hex(digest, len, hex);
	return ERR_OK;
}

/* Lower case, without colons and what is behind a blank. */
static void normalise(char *line)
{
	char *to = line;

	line[strcspn(line, "# \t\r\n")] = '\0';
	for (const char *from = line; *from; from++)
		if (*from != ':')
			*to++ = (char)(*from >= 'A' && *from <= 'F' ? *from + ('a' - 'A') : *from);
	*to = '\0';
}

static bool is_listed(const char *list_path, const char *sha1, const char *sha256)
{
	FILE *list = fopen(list_path, "re");
	char line[256];
	bool found = false;

	if (!list)
		return false;
	while (!found && fgets(line, sizeof(line), list)) {
		normalise(line);
		found = strcmp(line, sha1) == 0 || strcmp(line, sha256) == 0;
	}
	fclose(list);
	return found;
}

static enum err judge_time(gnutls_x509_crt_t certificate, struct error *e)
{
	time_t now = time(NULL);

	if (gnutls_x509_crt_get_expiration_time(certificate) < now)
		return error_set(e, ERR_FORBIDDEN, "client certificate: expired");
	if (gnutls_x509_crt_get_activation_time(certificate) > now)
		return error_set(e, ERR_FORBIDDEN, "client certificate: not valid yet");
	return ERR_OK;
}

enum err judge_client(
	const char *escaped_pem, const char *list_path, char out[THUMBPRINT_SIZE], struct error *e)
{
	char sha1[THUMBPRINT_SIZE] = "", sha256[THUMBPRINT_SIZE] = "";
	gnutls_x509_crt_t certificate = NULL;
	enum err err = ERR_OK;

	if (!escaped_pem || !*escaped_pem)
		return error_set(e, ERR_FORBIDDEN, "client certificate: none was sent");
	if (gnutls_x509_crt_init(&certificate) < 0)
		return error_memory(e);
	err = import(escaped_pem, certificate, e);
	if (!err)
		err = thumbprint(certificate, GNUTLS_DIG_SHA1, sha1, e);
	if (!err)
		err = thumbprint(certificate, GNUTLS_DIG_SHA256, sha256, e);
	if (!err) {
		memcpy(out, sha256, THUMBPRINT_SIZE);
		err = judge_time(certificate, e);
	}
	if (!err && !is_listed(list_path, sha1, sha256))
		err = error_set(
			e, ERR_FORBIDDEN, "client certificate: its thumbprint is not on the list");
	gnutls_x509_crt_deinit(certificate);
	return err;
}

enum err judge_client_purpose(const char *escaped_pem, struct error *e)
{
	gnutls_x509_crt_t certificate = NULL;
	enum err err;

	if (gnutls_x509_crt_init(&certificate) < 0)
		return error_memory(e);
	err = import(escaped_pem, certificate, e);
	if (!err && !gnutls_x509_crt_check_key_purpose(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0))
		err = error_set(e, ERR_FORBIDDEN, "client certificate: not for clientAuth");
	gnutls_x509_crt_deinit(certificate);
	return err;
}

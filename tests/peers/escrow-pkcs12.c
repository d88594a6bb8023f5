/* One PKCS#12 file of an upload, read with GnuTLS's own parser. */

#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "tests/peers/escrow-judge.h"

#define CERTIFICATES_MAX 8
#define BAGS_MAX 8
#define ITERATIONS_WITHOUT_PASSWORD 300000 /* .NET takes no more */

struct contents {
	const char *password;
	gnutls_x509_privkey_t key;
	unsigned keys;
	gnutls_x509_crt_t certificates[CERTIFICATES_MAX];
	unsigned count;
};

static enum err unreadable(struct error *e, const char *what, int code)
{
	return error_set(e, ERR_UNPROCESSABLE, "%s: %s", what, gnutls_strerror(code));
}

static enum err take_key(struct contents *c, const gnutls_datum_t *der, struct error *e)
{
	int code;

	if (c->keys++ > 0)
		return error_set(e, ERR_UNPROCESSABLE, "more than one private key in it");
	code = gnutls_x509_privkey_init(&c->key);
	if (code >= 0)
		code = gnutls_x509_privkey_import_pkcs8(c->key, der, GNUTLS_X509_FMT_DER,
			c->password, c->password ? 0 : GNUTLS_PKCS_NULL_PASSWORD);
	return code < 0 ? unreadable(e, "private key", code) : ERR_OK;
}

static enum err take_certificate(struct contents *c, const gnutls_datum_t *der, struct error *e)
{
	int code;

	if (c->count == CERTIFICATES_MAX)
		return error_set(e, ERR_UNPROCESSABLE, "too many certificates in it");
	code = gnutls_x509_crt_init(&c->certificates[c->count]);
	if (code < 0)
		return unreadable(e, "certificate", code);
	code = gnutls_x509_crt_import(c->certificates[c->count++], der, GNUTLS_X509_FMT_DER);
	return code < 0 ? unreadable(e, "certificate", code) : ERR_OK;
}

static enum err take_bag(struct contents *c, gnutls_pkcs12_bag_t bag, struct error *e)
{
	int count;
	enum err err = ERR_OK;

	if (gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED) {
		int code = gnutls_pkcs12_bag_decrypt(bag, c->password);

		if (code < 0)
			return unreadable(e, "encrypted bag", code);
	}
	count = gnutls_pkcs12_bag_get_count(bag);
	for (int i = 0; i < count && !err; i++) {
		gnutls_pkcs12_bag_type_t type =
			(gnutls_pkcs12_bag_type_t)gnutls_pkcs12_bag_get_type(bag, i);
		gnutls_datum_t der = {NULL, 0};
		int code = gnutls_pkcs12_bag_get_data(bag, i, &der);

		if (code < 0)
			err = unreadable(e, "bag", code);
		else if (type == GNUTLS_BAG_PKCS8_ENCRYPTED_KEY)
			err = take_key(c, &der, e);
		else if (type == GNUTLS_BAG_CERTIFICATE)
			err = take_certificate(c, &der, e);
		else if (type == GNUTLS_BAG_PKCS8_KEY)
			err = error_set(e, ERR_UNPROCESSABLE, "private key is not encrypted");
		else
			err = error_set(e, ERR_UNPROCESSABLE, "neither key nor certificate in it");
	}
	return err;
}

static enum err judge_iterations(const struct contents *c, gnutls_pkcs12_t file, struct error *e)
{
	unsigned iterations = 0;

	if (c->password || gnutls_pkcs12_mac_info(file, NULL, NULL, NULL, &iterations, NULL) < 0 ||
		iterations <= ITERATIONS_WITHOUT_PASSWORD)
		return ERR_OK;
	return error_set(
		e, ERR_UNPROCESSABLE, "no password, but %u iterations of its MAC", iterations);
}

static enum err open_file(struct contents *c, gnutls_pkcs12_t file, struct error *e)
{
	enum err err = ERR_OK;
	int code = gnutls_pkcs12_verify_mac(file, c->password);

	/* "No password" has two encodings, and either may come. */
	if (code < 0 && !c->password) {
		c->password = "";
		code = gnutls_pkcs12_verify_mac(file, c->password);
	}
	if (code < 0)
		return error_set(e, ERR_UNPROCESSABLE, "wrong password, or no MAC in it (%s)",
			gnutls_strerror(code));
	for (int i = 0; i < BAGS_MAX && !err; i++) {
		gnutls_pkcs12_bag_t bag = NULL;

		if (gnutls_pkcs12_bag_init(&bag) < 0)
			return error_memory(e);
		code = gnutls_pkcs12_get_bag(file, i, bag);
		if (code >= 0)
			err = take_bag(c, bag, e);
		gnutls_pkcs12_bag_deinit(bag);
		if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return ERR_OK;
		if (code < 0)
			return unreadable(e, "PKCS#12", code);
	}
	return err;
}

static enum err read_file(struct contents *c, const gnutls_datum_t *der, struct error *e)
{
	gnutls_pkcs12_t file = NULL;
	enum err err = ERR_OK;
	int code;

	if (gnutls_pkcs12_init(&file) < 0)
		return error_memory(e);
	code = gnutls_pkcs12_import(file, der, GNUTLS_X509_FMT_DER, 0);
	if (code < 0)
		err = unreadable(e, "not a PKCS#12 file", code);
	else
		err = judge_iterations(c, file, e);
	if (!err)
		err = open_file(c, file, e);
	if (!err && !c->keys)
		err = error_set(e, ERR_UNPROCESSABLE, "no private key in it");
	gnutls_pkcs12_deinit(file);
	return err;
}

/* The certificate of the key, or NULL. */
static gnutls_x509_crt_t find_leaf(const struct contents *c, struct credential *out)
{
	for (unsigned i = 0; i < c->count; i++) {
		unsigned char own[32], other[32];
		size_t own_len = sizeof(own), other_len = sizeof(other);

		if (gnutls_x509_privkey_get_key_id(c->key, GNUTLS_KEYID_USE_SHA256, own, &own_len) <
				0 ||
			gnutls_x509_crt_get_key_id(
				c->certificates[i], GNUTLS_KEYID_USE_SHA256, other, &other_len) < 0)
			continue;
		if (own_len != other_len || memcmp(own, other, own_len) != 0)
			continue;
		memcpy(out->key, own, sizeof(own));
		return c->certificates[i];
	}
	return NULL;
}

static bool has_issuer(const struct contents *c, gnutls_x509_crt_t leaf)
{
	for (unsigned i = 0; i < c->count; i++) {
		gnutls_x509_crt_t issuer = c->certificates[i];
		unsigned status = 0;

		/* Archived certificates may have expired: whose signature it is counts here. */
		if (issuer != leaf && gnutls_x509_crt_check_issuer(leaf, issuer) == 1 &&
			gnutls_x509_crt_verify(leaf, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
				&status) >= 0 &&
			status == 0)
			return true;
	}
	return false;
}

static bool protects_mail(gnutls_x509_crt_t leaf)
{
	char oid[64];
	int code = 0;

	for (unsigned i = 0; code >= 0; i++) {
		size_t len = sizeof(oid);

		code = gnutls_x509_crt_get_key_purpose_oid(leaf, i, oid, &len, NULL);
		if (code >= 0 && strcmp(oid, GNUTLS_KP_EMAIL_PROTECTION) == 0)
			return true;
	}
	return false;
}

static enum err judge_usage(gnutls_x509_crt_t leaf, enum part part, struct error *e)
{
	bool rsa = gnutls_x509_crt_get_pk_algorithm(leaf, NULL) == GNUTLS_PK_RSA;
	unsigned usage = 0;

	if (gnutls_x509_crt_get_key_usage(leaf, &usage, NULL) < 0)
		return error_set(e, ERR_UNPROCESSABLE, "certificate has no key usage");
	if (!protects_mail(leaf))
		return error_set(e, ERR_UNPROCESSABLE, "certificate is not for emailProtection");
	if (part == PART_SIGNING && !(usage & GNUTLS_KEY_DIGITAL_SIGNATURE))
		return error_set(e, ERR_UNPROCESSABLE, "certificate lacks digitalSignature");
	if (part == PART_ENCRYPTION && rsa && !(usage & GNUTLS_KEY_KEY_ENCIPHERMENT))
		return error_set(e, ERR_UNPROCESSABLE, "certificate lacks keyEncipherment");
	if (part == PART_ENCRYPTION && !rsa && !(usage & GNUTLS_KEY_KEY_AGREEMENT))
		return error_set(e, ERR_UNPROCESSABLE, "certificate lacks keyAgreement");
	return ERR_OK;
}

/* For those who compare; "" where there is none that can be shown. */
static void describe(gnutls_x509_crt_t leaf, struct credential *out)
{
	unsigned char serial[(sizeof(out->serial) - 1) / 2];
	size_t serial_len = sizeof(serial), mail_len = sizeof(out->mail);

	if (gnutls_x509_crt_get_serial(leaf, serial, &serial_len) >= 0)
		text_hex(serial, serial_len, out->serial);
	if (gnutls_x509_crt_get_subject_alt_name(leaf, 0, out->mail, &mail_len, NULL) !=
		GNUTLS_SAN_RFC822NAME)
		out->mail[0] = '\0';
}

static enum err judge_leaf(
	const struct contents *c, enum part part, struct credential *out, struct error *e)
{
	gnutls_x509_crt_t leaf = find_leaf(c, out);
	size_t len = sizeof(out->certificate);
	time_t now = time(NULL);

	if (!leaf)
		return error_set(e, ERR_UNPROCESSABLE,
			"private key belongs to none of the %u certificates in it", c->count);
	if (!has_issuer(c, leaf))
		return error_set(e, ERR_UNPROCESSABLE, "certificate's issuer is not in it");
	if (part != PART_ARCHIVED && gnutls_x509_crt_get_expiration_time(leaf) < now)
		return error_set(e, ERR_UNPROCESSABLE, "certificate has expired");
	if (part != PART_ARCHIVED && gnutls_x509_crt_get_activation_time(leaf) > now)
		return error_set(e, ERR_UNPROCESSABLE, "certificate is not valid yet");
	if (gnutls_x509_crt_get_fingerprint(leaf, GNUTLS_DIG_SHA256, out->certificate, &len) < 0)
		return error_set(e, ERR_INTERNAL, "certificate has no fingerprint");
	describe(leaf, out);
	return judge_usage(leaf, part, e);
}

enum err judge_pkcs12(const gnutls_datum_t *der, const char *password, enum part part,
	struct credential *out, struct error *e)
{
	struct contents c = {.password = password};
	enum err err = read_file(&c, der, e);

	out->part = part;
	if (!err)
		err = judge_leaf(&c, part, out, e);
	for (unsigned i = 0; i < c.count; i++)
		gnutls_x509_crt_deinit(c.certificates[i]);
	gnutls_x509_privkey_deinit(c.key);
	return err;
}

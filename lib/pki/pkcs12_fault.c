/*
 * Finds out why a PKCS#12 file cannot be used, for the administrator. GnuTLS says "decryption has
 * failed" of a wrong password and of a key that it cannot read alike.
 */

#include "pki/pkcs12_fault.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"

/* The description of a key: "the curve secp256k1". */
#define KEY_TEXT_SIZE 96
#define PASSWORD_MAX 256

/* --- the bags of a file */

/* For each certificate and key that can be seen; true ends the walk. */
typedef bool bag_visitor(gnutls_pkcs12_bag_type_t type, const gnutls_datum_t *data, void *ctx);

static bool visit_bag(gnutls_pkcs12_bag_t bag, const char *password, bag_visitor *visit, void *ctx)
{
	bool end = false;

	if (gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED &&
		(!password || gnutls_pkcs12_bag_decrypt(bag, password) < 0))
		return false;
	for (int i = 0; !end && i < gnutls_pkcs12_bag_get_count(bag); i++) {
		int type = gnutls_pkcs12_bag_get_type(bag, (unsigned)i);
		gnutls_datum_t data = {NULL, 0};

		if (type >= 0 && gnutls_pkcs12_bag_get_data(bag, i, &data) >= 0)
			end = visit((gnutls_pkcs12_bag_type_t)type, &data, ctx);
	}
	return end;
}

/* password NULL: what is encrypted is passed over. */
static void visit_bags(gnutls_pkcs12_t p12, const char *password, bag_visitor *visit, void *ctx)
{
	bool end = false;
	int ret = 0;

	for (int i = 0; !end && ret >= 0; i++) {
		gnutls_pkcs12_bag_t bag = NULL;

		ret = gnutls_pkcs12_bag_init(&bag);
		if (ret >= 0)
			ret = gnutls_pkcs12_get_bag(p12, i, bag);
		if (ret >= 0)
			end = visit_bag(bag, password, visit, ctx);
		if (bag)
			gnutls_pkcs12_bag_deinit(bag);
	}
}

static bool count_key(gnutls_pkcs12_bag_type_t type, const gnutls_datum_t *data, void *keys)
{
	(void)data;
	if (type == GNUTLS_BAG_PKCS8_KEY || type == GNUTLS_BAG_PKCS8_ENCRYPTED_KEY)
		++*(int *)keys;
	return false;
}

int pkcs12_count_keys(gnutls_pkcs12_t p12)
{
	int keys = 0;

	visit_bags(p12, NULL, count_key, &keys);
	return keys;
}

/* --- a key that GnuTLS does not have */

/* Curves that other tools make; without the tag. */
static const struct {
	const char *name;
	const char *oid;
	size_t len;
} curves[] = {
#define OID(text) .oid = (text), .len = sizeof(text) - 1
	{"secp256k1", OID("\x2b\x81\x04\x00\x0a")},
	{"brainpoolP256r1", OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07")},
	{"brainpoolP384r1", OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b")},
	{"brainpoolP512r1", OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d")},
#undef OID
};

/* at: what follows id-ecPublicKey in a SubjectPublicKeyInfo (RFC 5480, 2.1.1), of len bytes. */
static void describe_curve(const unsigned char *at, size_t len, char out[KEY_TEXT_SIZE])
{
	if (len > 0 && at[0] == 0x30) { /* a SEQUENCE */
		snprintf(out, KEY_TEXT_SIZE,
			"a curve given by explicit parameters, not by its name");
		return;
	}
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (len < curves[i].len + 2 || at[1] != curves[i].len ||
			memcmp(at + 2, curves[i].oid, curves[i].len) != 0)
			continue;
		snprintf(out, KEY_TEXT_SIZE, "the curve %s", curves[i].name);
		return;
	}
	snprintf(out, KEY_TEXT_SIZE, "a rare curve");
}

/* Describes the key of a certificate, if it is one that GnuTLS does not have. */
static bool describe_key(gnutls_pkcs12_bag_type_t type, const gnutls_datum_t *data, void *text)
{
	static const unsigned char ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
	gnutls_x509_crt_t crt = NULL;
	const unsigned char *at;
	bool unknown = false;
	unsigned bits = 0; /* asked for, or the curve is not looked at */

	if (type != GNUTLS_BAG_CERTIFICATE || gnutls_x509_crt_init(&crt) < 0)
		return false;
	if (gnutls_x509_crt_import(crt, data, GNUTLS_X509_FMT_DER) >= 0)
		unknown = gnutls_x509_crt_get_pk_algorithm(crt, &bits) < 0;
	gnutls_x509_crt_deinit(crt);
	if (!unknown)
		return false;
	at = memmem(data->data, data->size, ec, sizeof(ec));
	if (at)
		describe_curve(
			at + sizeof(ec), data->size - (size_t)(at - data->data) - sizeof(ec), text);
	else
		snprintf(text, KEY_TEXT_SIZE, "an unknown algorithm");
	return true;
}

static enum err explain_key(const struct pkcs12_fault *f, struct error *e)
{
	char key[KEY_TEXT_SIZE] = "an algorithm or a form that TLS here cannot use";

	visit_bags(f->p12, f->password ? f->password : "", describe_key, key);
	return error_set(e, ERR_CONFIG,
		"%s: its password is right, but its private key cannot be used: it is of %s; have "
		"the certificate issued for a key of RSA or of P-256, P-384 or P-521",
		f->file, key);
}

/* --- a password that does not fit */

/* Reads each byte as a character, as tools do that take the password for Latin-1. */
static bool by_bytes(const char *password, char out[PASSWORD_MAX])
{
	size_t len = 0;

	for (; *password; password++) {
		unsigned char byte = (unsigned char)*password;

		if (len + 3 > PASSWORD_MAX)
			return false;
		if (byte < 0x80) {
			out[len++] = (char)byte;
			continue;
		}
		out[len++] = (char)(0xc0 | byte >> 6);
		out[len++] = (char)(0x80 | (byte & 0x3f));
	}
	out[len] = '\0';
	return true;
}

/* The file was made by a tool that took the password's UTF-8 for Latin-1, such as OpenSSL 1.0. */
static bool was_misread(const struct pkcs12_fault *f)
{
	char password[PASSWORD_MAX];
	bool misread = f->password && by_bytes(f->password, password) &&
		       strcmp(password, f->password) != 0 &&
		       gnutls_pkcs12_verify_mac(f->p12, password) >= 0;

	secret_wipe(password, sizeof(password));
	return misread;
}

int pkcs12_check_mac(gnutls_pkcs12_t p12, const char *password)
{
	int ret = gnutls_pkcs12_mac_info(p12, NULL, NULL, NULL, NULL, NULL);

	if (ret < 0)
		return 1;
	ret = gnutls_pkcs12_verify_mac(p12, password);
	/* "No password" has two encodings, and some files mix them. */
	if (ret < 0 && !password)
		ret = gnutls_pkcs12_verify_mac(p12, "");
	return ret < 0 ? ret : 0;
}

static enum err explain_password(const struct pkcs12_fault *f, struct error *e)
{
	if (pkcs12_check_mac(f->p12, f->password) == 0)
		return explain_key(f, e);
	if (!f->password_file)
		return error_set(e, ERR_CONFIG,
			"%s has a password; name the file that holds it (identity-password-file)",
			f->file);
	if (was_misread(f))
		return error_set(e, ERR_CONFIG,
			"%s was made by a tool that took the password in %s for Latin-1, although "
			"it is UTF-8; export it again with a current tool, or with a password of "
			"ASCII characters",
			f->file, f->password_file);
	return error_set(
		e, ERR_CONFIG, "%s: the password in %s is wrong for it", f->file, f->password_file);
}

enum err pkcs12_explain(const struct pkcs12_fault *fault, struct error *e)
{
	switch (fault->code) {
	case GNUTLS_E_MEMORY_ERROR:
		return error_memory(e);
	case GNUTLS_E_MAC_VERIFY_FAILED:
	case GNUTLS_E_DECRYPTION_FAILED:
		return explain_password(fault, e);
	case GNUTLS_E_UNKNOWN_CIPHER_TYPE:
		return error_set(e, ERR_CONFIG,
			"%s is encrypted in an unknown way; export it again, with "
			"AES-256 (openssl pkcs12 -export does that)",
			fault->file);
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
		break;
	default:
		return error_set(
			e, ERR_CONFIG, "%s: %s", fault->file, gnutls_strerror(fault->code));
	}
	if (pkcs12_count_keys(fault->p12) == 0)
		return error_set(e, ERR_CONFIG,
			"%s has no private key; export the certificate with its key", fault->file);
	return error_set(e, ERR_CONFIG,
		"%s has no certificate that belongs to its private key; export both together",
		fault->file);
}

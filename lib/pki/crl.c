/*
 * Revocation lists: signs the local CA's and reads others'. The list itself is written here,
 * because GnuTLS cannot write an entry's reason and takes time that grows with the square of the
 * number of entries.
 */

#include "pki/crl.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "pki/der.h"
#include "pki/signer.h"
#include "pki/x509.h"

#define OID_CRL_NUMBER "2.5.29.20"
#define OID_REASON_CODE "2.5.29.21"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define CRL_VERSION_2 1
#define ENTRY_MAX 64 /* octets, more than any entry has */
#define LIST_MAX (64 * 1024)
#define YEAR_UTC_TIME_ENDS 2050

/* --- whether the issuer can sign lists */

static enum err check_may_sign(const struct issuer *issuer, struct error *e)
{
	unsigned usage = GNUTLS_KEY_CRL_SIGN;

	if (gnutls_x509_crt_get_key_usage(issuer->crt, &usage, NULL) >= 0 &&
		!(usage & GNUTLS_KEY_CRL_SIGN))
		return error_set(e, ERR_CONFIG,
			"the CA's certificate does not allow signing revocation lists (keyUsage): "
			"have it issued with cRLSign");
	return issuer_check_time(issuer, e);
}

/* The algorithm by which this issuer signs; those with parameters are not supported. */
static enum err find_algorithm(
	const struct issuer *issuer, gnutls_sign_algorithm_t *out, struct error *e)
{
	int key = gnutls_x509_crt_get_pk_algorithm(issuer->crt, NULL);

	if (key != GNUTLS_PK_RSA && key != GNUTLS_PK_ECDSA && key != GNUTLS_PK_EDDSA_ED25519 &&
		key != GNUTLS_PK_EDDSA_ED448)
		return error_set(e, ERR_CONFIG,
			"no revocation lists can be signed with the CA's kind of key: RSA, EC, "
			"Ed25519 and Ed448 are known");
	*out = gnutls_pk_to_sign((gnutls_pk_algorithm_t)key, issuer->digest);
	return ERR_OK;
}

/* --- parts of the list */

/* RFC 3279, 2.2; RFC 5758; RFC 8410. */
static void put_algorithm(struct der *d, gnutls_sign_algorithm_t algorithm)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, gnutls_sign_get_oid(algorithm));
	if (gnutls_sign_get_pk_algorithm(algorithm) == GNUTLS_PK_RSA)
		der_null(d);
	der_close(d);
}

/* RFC 5280, 5.1.2.4: the form depends on the year. */
static enum err put_time(struct der *d, int64_t seconds, struct error *e)
{
	const time_t time = (time_t)seconds;
	struct tm tm = {.tm_sec = 0};
	char text[32];
	bool utc;

	if (!gmtime_r(&time, &tm) || tm.tm_year + 1900 < 1950 || tm.tm_year + 1900 > 9999)
		return error_set(e, ERR_INTERNAL, "a revocation list cannot have the time %lld",
			(long long)seconds);
	utc = tm.tm_year + 1900 < YEAR_UTC_TIME_ENDS;
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	if (utc) /* which has two digits of the year */
		der_string(d, DER_UTC_TIME, text + 2, strlen(text + 2));
	else
		der_string(d, DER_GENERALIZED_TIME, text, strlen(text));
	return ERR_OK;
}

static enum err put_serial(struct der *d, const char *hex, struct error *e)
{
	unsigned char octets[1 + SERIAL_HEX_SIZE / 2] = {0};
	size_t len = strlen(hex) / 2;

	if (len == 0 || strlen(hex) % 2 || !text_unhex(hex, octets + 1, len))
		return error_set(e, ERR_INTERNAL, "\"%.48s\" is not a serial number", hex);
	if (octets[1] & 0x80) /* with a zero octet first, or it would be negative */
		der_string(d, DER_INTEGER, octets, len + 1);
	else
		der_string(d, DER_INTEGER, octets + 1, len);
	return ERR_OK;
}

static void open_extension(struct der *d, const char *oid)
{
	der_open(d, DER_SEQUENCE);
	der_oid(d, oid);
	der_open(d, DER_OCTET_STRING);
}

static void close_extension(struct der *d)
{
	der_close(d);
	der_close(d);
}

static enum err put_entry(struct der *d, const struct crl_entry *entry, struct error *e)
{
	enum err err;

	der_open(d, DER_SEQUENCE);
	err = put_serial(d, entry->serial, e);
	if (!err)
		err = put_time(d, entry->revoked_at, e);
	if (!err && entry->reason != REVOKED_UNSPECIFIED) {
		der_open(d, DER_SEQUENCE);
		open_extension(d, OID_REASON_CODE);
		der_string(d, DER_ENUMERATED, &revocation_reason_codes[entry->reason], 1);
		close_extension(d);
		der_close(d);
	}
	der_close(d);
	return err;
}

/* RFC 5280, 5.1.2.6: without revoked certificates the list is absent, not empty. */
static enum err put_entries(struct der *d, const struct crl_order *order, struct error *e)
{
	enum err err = ERR_OK;

	if (order->count == 0)
		return ERR_OK;
	der_open(d, DER_SEQUENCE);
	for (size_t i = 0; !err && i < order->count; i++)
		err = put_entry(d, &order->entry[i], e);
	der_close(d);
	return err;
}

static void put_extensions(struct der *d, const struct issuer *issuer, int64_t number)
{
	der_open(d, DER_CONTEXT_0);
	der_open(d, DER_SEQUENCE);
	open_extension(d, OID_AUTHORITY_KEY_ID);
	der_open(d, DER_SEQUENCE);
	der_string(d, DER_CONTEXT_PRIMITIVE_0, issuer->key_id, issuer->key_id_len);
	der_close(d);
	close_extension(d);
	open_extension(d, OID_CRL_NUMBER);
	der_unsigned(d, (unsigned long)number);
	close_extension(d);
	der_close(d);
	der_close(d);
}

/* --- the whole */

/* TBSCertList of RFC 5280, 5.1. */
static enum err write_list(const struct issuer *issuer, const struct crl_order *order,
	gnutls_sign_algorithm_t algorithm, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(LIST_MAX + order->count * ENTRY_MAX);
	gnutls_datum_t name = {NULL, 0};
	int rc = gnutls_x509_crt_get_raw_dn(issuer->crt, &name);
	enum err err = rc < 0 ? x509_error(e, ERR_INTERNAL, rc, "the CA's name") : ERR_OK;

	der_open(&d, DER_SEQUENCE);
	der_unsigned(&d, CRL_VERSION_2);
	put_algorithm(&d, algorithm);
	der_raw(&d, name.data, name.size);
	gnutls_free(name.data);
	if (!err)
		err = put_time(&d, order->this_update, e);
	if (!err)
		err = put_time(&d, order->next_update, e);
	if (!err)
		err = put_entries(&d, order, e);
	put_extensions(&d, issuer, order->number);
	der_close(&d);
	if (!err)
		err = der_take(&d, out, e);
	der_free(&d);
	return err;
}

static enum err wrap(const struct blob *list, const gnutls_datum_t *signature,
	gnutls_sign_algorithm_t algorithm, struct blob *out, struct error *e)
{
	struct der d = DER_INIT(LIST_MAX + list->len);
	const unsigned char unused_bits = 0;

	der_open(&d, DER_SEQUENCE);
	der_raw(&d, list->data, list->len);
	put_algorithm(&d, algorithm);
	der_open(&d, DER_BIT_STRING);
	der_raw(&d, &unused_bits, 1);
	der_raw(&d, signature->data, signature->size);
	der_close(&d);
	der_close(&d);
	return der_take(&d, out, e);
}

struct signing {
	gnutls_sign_algorithm_t algorithm;
	gnutls_datum_t data;
	gnutls_datum_t signature;
};

static int sign_data(gnutls_privkey_t key, void *ctx)
{
	struct signing *s = ctx;

	return gnutls_privkey_sign_data2(key, s->algorithm, 0, &s->data, &s->signature);
}

enum err crl_sign(const struct issuer *issuer, const struct crl_order *order, struct blob *out,
	struct error *e)
{
	struct signing s = {.algorithm = GNUTLS_SIGN_UNKNOWN};
	struct blob list = {NULL, 0};
	enum err err = check_may_sign(issuer, e);

	if (!err)
		err = find_algorithm(issuer, &s.algorithm, e);
	if (!err)
		err = write_list(issuer, order, s.algorithm, &list, e);
	if (err)
		return err;
	s.data = x509_datum(&list);
	err = signer_run(&issuer->signer, sign_data, &s, "signing a revocation list", e);
	if (!err)
		err = wrap(&list, &s.signature, s.algorithm, out, e);
	gnutls_free(s.signature.data);
	blob_free(&list);
	return err;
}

enum err crl_to_pem(const struct blob *der, struct blob *pem, struct error *e)
{
	return x509_to_pem("X509 CRL", der, pem, e);
}

/* --- lists that others made */

/* The caller judges the time; GnuTLS would always take the system's clock. */
static enum err check_signer(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer, struct error *e)
{
	const unsigned of_time = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
				 GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
	unsigned status = 0;
	int rc = gnutls_x509_crl_verify(crl, &issuer, 1, 0, &status);

	if (rc < 0)
		return x509_error(e, ERR_REFUSED, rc, "the list's signature");
	if (status & of_time)
		status &= ~(of_time | GNUTLS_CERT_INVALID);
	return status ? error_set(e, ERR_REFUSED, "the list is not signed by our CA") : ERR_OK;
}

enum err crl_verify(
	const struct blob *list, const struct blob *issuer, int64_t *next_update, struct error *e)
{
	const gnutls_datum_t data = x509_datum(list);
	gnutls_x509_crl_t crl = NULL;
	gnutls_x509_crt_t crt = NULL;
	enum err err = x509_import(issuer, ERR_REFUSED, &crt, e);

	if (!err && gnutls_x509_crl_init(&crl) < 0)
		err = error_memory(e);
	if (!err && gnutls_x509_crl_import(crl, &data, GNUTLS_X509_FMT_DER) < 0)
		err = error_set(e, ERR_REFUSED, "it is not a revocation list in DER");
	if (!err)
		err = check_signer(crl, crt, e);
	if (!err)
		*next_update = gnutls_x509_crl_get_next_update(crl);
	if (crl)
		gnutls_x509_crl_deinit(crl);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	return err;
}

/*
 * The one check of a certificate that a CA returned, before it is stored: RFC 5280, RFC 8550 and
 * our own clock.
 */

#include "pki/certificate_check.h"

#include <gnutls/x509-ext.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "pki/key_usage.h"
#include "pki/x509.h"

#define SKEW 300	/* seconds that a CA's clock may be ahead of ours */
#define SUBJECT_MAX 160 /* of a subject in an error's text */

/* The chain as GnuTLS reads it. */
struct loaded {
	unsigned count;
	gnutls_x509_crt_t crt[CHAIN_MAX];
};

static enum err refuse(struct error *e, const char *why)
{
	return error_set(e, ERR_REFUSED, "%s", why);
}

static enum err unreadable(struct error *e, int rc, const char *what)
{
	return x509_error(e, ERR_REFUSED, rc, what);
}

static void unload(struct loaded *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		gnutls_x509_crt_deinit(chain->crt[i]);
}

static enum err load(const struct chain *chain, struct loaded *out, struct error *e)
{
	enum err err = ERR_OK;

	if (chain->count == 0)
		return refuse(e, "no certificate at all");
	if (chain->count == 1)
		return refuse(e, "without its issuer's certificate nothing can be verified");
	while (out->count < chain->count && !err) {
		err = x509_import(
			&chain->certificate[out->count], ERR_REFUSED, &out->crt[out->count], e);
		if (!err)
			out->count++;
	}
	return err;
}

/* --- the leaf */

static enum err check_version(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	unsigned char serial[64];
	size_t len = sizeof(serial);

	(void)demand;
	if (gnutls_x509_crt_get_version(leaf) != 3)
		return refuse(e, "not a version 3 certificate");
	/* RFC 5280, 4.1.2.2: positive, at most 20 octets; some lead with a zero octet */
	if (gnutls_x509_crt_get_serial(leaf, serial, &len) < 0 || len > 21 ||
		(len == 21 && serial[0] != 0))
		return refuse(e, "its serial number is longer than 20 octets");
	if (serial[0] & 0x80)
		return refuse(e, "its serial number is negative");
	return ERR_OK;
}

static enum err check_public_key(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	struct blob key = {NULL, 0};
	enum err err = x509_public_key(leaf, &key, e);

	if (!err && !blob_equal(&key, demand->public_key))
		err = refuse(e, "it is for another public key than the request's");
	blob_free(&key);
	return err;
}

/* RFC 5280, 7.5: case matters in the local part, not in the domain. */
static bool is_address(const struct address *address, const unsigned char *data, size_t len)
{
	const char *s = (const char *)data;
	size_t local = address->domain;

	return len == strlen(address->text) && memcmp(s, address->text, local) == 0 &&
	       strncasecmp(s + local, address->text + local, len - local) == 0;
}

/* GnuTLS gives object identifiers as text, with or without the NUL. */
static bool is_oid(const gnutls_datum_t *oid, const char *wanted)
{
	return oid->size >= strlen(wanted) &&
	       strncmp((const char *)oid->data, wanted, oid->size) == 0;
}

/* The value of a SmtpUTF8Mailbox: a UTF8String of up to 254 bytes in DER. */
static bool is_utf8_mailbox(const struct address *address, const gnutls_datum_t *value)
{
	const unsigned char *p = value->data;
	size_t head = value->size > 1 && p[1] == 0x81 ? 3 : 2;

	return value->size >= head && p[0] == 0x0c && (head == 3 || p[1] < 0x80) &&
	       p[head - 1] == value->size - head &&
	       is_address(address, p + head, value->size - head);
}

/* Counts the mail addresses. ERR_REFUSED if one is another, or in the wrong form. */
static enum err check_alternative_names(gnutls_subject_alt_names_t names,
	const struct address *address, unsigned *found, struct error *e)
{
	gnutls_datum_t value = {NULL, 0}, oid = {NULL, 0};
	unsigned type = 0;

	for (unsigned i = 0;; i++) {
		int rc = gnutls_subject_alt_names_get(names, i, &type, &value, &oid);
		bool utf8 = rc >= 0 && type == GNUTLS_SAN_OTHERNAME &&
			    is_oid(&oid, OID_SMTP_UTF8_MAILBOX);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return ERR_OK;
		if (rc < 0)
			return unreadable(e, rc, "its alternative names");
		if (!utf8 && type != GNUTLS_SAN_RFC822NAME)
			continue;
		if (utf8 ? address->ascii_local || !is_utf8_mailbox(address, &value)
			 : !address->ascii_local || !is_address(address, value.data, value.size))
			return refuse(e, "it names another mail address than requested");
		++*found;
	}
}

static enum err check_san(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	gnutls_subject_alt_names_t names = NULL;
	gnutls_datum_t der = {NULL, 0};
	unsigned found = 0;
	enum err err = ERR_OK;
	int rc = gnutls_x509_crt_get_extension_by_oid2(leaf, GNUTLS_X509EXT_OID_SAN, 0, &der, NULL);

	if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return refuse(e, "it has no subject alternative name");
	if (rc >= 0)
		rc = gnutls_subject_alt_names_init(&names);
	if (rc >= 0)
		rc = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
	if (rc < 0)
		err = unreadable(e, rc, "its alternative names");
	if (!err)
		err = check_alternative_names(names, demand->address, &found, e);
	if (!err && found != 1)
		err = refuse(e, found ? "it names a mail address more than once"
				      : "its alternative names have no mail address");
	if (names)
		gnutls_subject_alt_names_deinit(names);
	gnutls_free(der.data);
	return err;
}

/* RFC 8550, 3: readers also believe an emailAddress in the subject. */
static enum err check_subject(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	gnutls_x509_dn_t dn = NULL;
	gnutls_x509_ava_st ava = {.value_tag = 0};
	int rc = gnutls_x509_crt_get_subject(leaf, &dn);

	if (rc < 0)
		return unreadable(e, rc, "its subject");
	for (int rdn = 0, value = 0;; value++) {
		rc = gnutls_x509_dn_get_rdn_ava(dn, rdn, value, &ava);
		if (rc < 0 && value == 0)
			break;
		if (rc < 0) {
			rdn++;
			value = -1;
		} else if (is_oid(&ava.oid, GNUTLS_OID_PKCS9_EMAIL) &&
			   !is_address(demand->address, ava.value.data, ava.value.size)) {
			return refuse(e, "its subject names another mail address than requested");
		}
	}
	if (rc != GNUTLS_E_ASN1_ELEMENT_NOT_FOUND)
		return unreadable(e, rc, "its subject");
	return ERR_OK;
}

/* The extended key usage of a certificate, as far as it concerns mail. */
enum purposes { PURPOSES_NONE, PURPOSES_OTHER, PURPOSES_MAIL, PURPOSES_ANY };

static enum err read_purposes(gnutls_x509_crt_t crt, enum purposes *out, struct error *e)
{
	enum purposes purposes = PURPOSES_NONE, here;
	char oid[128];

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(oid);
		int rc = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &size, NULL);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (rc < 0 && rc != GNUTLS_E_SHORT_MEMORY_BUFFER)
			return unreadable(e, rc, "its extended key usage");
		here = rc < 0					      ? PURPOSES_OTHER
		       : strcmp(oid, GNUTLS_KP_ANY) == 0	      ? PURPOSES_ANY
		       : strcmp(oid, GNUTLS_KP_EMAIL_PROTECTION) == 0 ? PURPOSES_MAIL
								      : PURPOSES_OTHER;
		if (here > purposes)
			purposes = here;
	}
	*out = purposes;
	return ERR_OK;
}

static enum err check_purposes(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	enum purposes purposes = PURPOSES_NONE;
	enum err err = read_purposes(leaf, &purposes, e);

	(void)demand;
	if (err)
		return err;
	if (purposes == PURPOSES_ANY)
		return refuse(e, "its extended key usage is open to any purpose");
	if (purposes != PURPOSES_MAIL)
		return refuse(e, "its extended key usage lacks emailProtection");
	return ERR_OK;
}

static enum err check_key_usage(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	int algorithm = gnutls_x509_crt_get_pk_algorithm(leaf, NULL);
	unsigned bits = 0;
	int rc = gnutls_x509_crt_get_key_usage(leaf, &bits, NULL);

	if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return refuse(e, "it has no key usage");
	if (rc < 0)
		return unreadable(e, rc, "its key usage");
	return key_usage_check(demand->usage, algorithm, bits, e);
}

static enum err check_not_ca(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	unsigned ca = 0;
	int rc = gnutls_x509_crt_get_basic_constraints(leaf, NULL, &ca, NULL);

	(void)demand;
	if (rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return unreadable(e, rc, "its basic constraints");
	return ca ? refuse(e, "it is a CA's certificate") : ERR_OK;
}

static enum err check_time(gnutls_x509_crt_t crt, int64_t now, struct error *e)
{
	int64_t not_before = gnutls_x509_crt_get_activation_time(crt);
	int64_t not_after = gnutls_x509_crt_get_expiration_time(crt);
	char text[CLOCK_RFC3339_SIZE];

	if (not_before < 0 || not_after < 0)
		return refuse(e, "its validity cannot be read");
	clock_rfc3339(not_before, text);
	if (not_before > now + SKEW)
		return error_set(e, ERR_REFUSED, "it is not valid before %s", text);
	clock_rfc3339(not_after, text);
	if (not_after < now)
		return error_set(e, ERR_REFUSED, "it has expired on %s", text);
	return ERR_OK;
}

static enum err check_validity(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e)
{
	int64_t not_after = gnutls_x509_crt_get_expiration_time(leaf);
	char text[CLOCK_RFC3339_SIZE];
	enum err err = check_time(leaf, demand->now, e);

	if (err || not_after <= demand->now + SKEW + demand->validity + demand->leeway)
		return err;
	clock_rfc3339(not_after, text);
	return error_set(e, ERR_REFUSED, "it is valid until %s, longer than asked", text);
}

/* --- its issuers */

/* RFC 5280, 6.1.4 (k) to (n); a CA for other purposes must not issue for mail. */
static enum err check_authority(gnutls_x509_crt_t crt, int64_t now, struct error *e)
{
	unsigned ca = 0, usage = 0;
	enum purposes purposes = PURPOSES_NONE;
	enum err err = ERR_OK;
	int rc = gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, NULL);

	if (rc < 0 || !ca)
		return refuse(e, "it is not a CA");
	rc = gnutls_x509_crt_get_key_usage(crt, &usage, NULL);
	if (rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return unreadable(e, rc, "its key usage");
	if (rc >= 0 && !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		return refuse(e, "its key usage does not allow signing certificates");
	err = read_purposes(crt, &purposes, e);
	if (!err && purposes == PURPOSES_OTHER)
		return refuse(e, "its extended key usage lacks emailProtection");
	return err ? err : check_time(crt, now, e);
}

/* SHA-1, MD5 and unknown hashes are refused. */
static bool signature_is_strong(gnutls_x509_crt_t crt)
{
	int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);

	if (algorithm < 0)
		return false;
	if (algorithm == GNUTLS_SIGN_EDDSA_ED25519 || algorithm == GNUTLS_SIGN_EDDSA_ED448)
		return true;
	switch ((int)gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)algorithm)) {
	case GNUTLS_DIG_SHA256:
	case GNUTLS_DIG_SHA384:
	case GNUTLS_DIG_SHA512:
		return true;
	default:
		return false;
	}
}

/* A root's own signature proves nothing, so its strength does not matter. */
static enum err check_strength(const struct loaded *chain, unsigned i, struct error *e)
{
	gnutls_x509_crt_t crt = chain->crt[i];
	bool root = i + 1 == chain->count && gnutls_x509_crt_check_issuer(crt, crt);
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);

	if (algorithm < 0 || x509_is_weak((gnutls_pk_algorithm_t)algorithm, bits))
		return refuse(e, "its key is too weak, or of an unknown kind");
	if (!root && !signature_is_strong(crt))
		return refuse(e, "it is signed with a weak algorithm");
	return ERR_OK;
}

static enum err check_issuers(
	const struct loaded *chain, const struct certificate_demand *demand, struct error *e)
{
	char subject[SUBJECT_MAX];
	enum err err = ERR_OK;

	for (unsigned i = 0; i < chain->count && !err; i++) {
		if (i > 0)
			err = check_authority(chain->crt[i], demand->now, e);
		if (!err)
			err = check_strength(chain, i, e);
		if (!err && i + 1 < chain->count &&
			!gnutls_x509_crt_check_issuer(chain->crt[i], chain->crt[i + 1]))
			err = refuse(e, "the next certificate of the chain is not its issuer");
		if (!err)
			continue;
		x509_subject(chain->crt[i], subject, sizeof(subject));
		error_context(e, "certificate %u of the chain (%s)", i + 1, subject);
	}
	return err;
}

/*
 * Signatures, path lengths, name constraints and critical extensions along the
 * chain (RFC 5280, 6.1). Time was judged above, by our clock.
 */
static enum err check_path(const struct loaded *chain, struct error *e)
{
	static const struct {
		unsigned bit;
		const char *text;
	} causes[] = {
		{GNUTLS_CERT_SIGNATURE_FAILURE, "a signature in it is wrong"},
		{GNUTLS_CERT_SIGNER_NOT_CA, "an issuer in it is not a CA"},
		{GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "a critical extension in it is not known"},
		{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "an issuer's constraints forbid it"},
		{GNUTLS_CERT_INSECURE_ALGORITHM, "an algorithm in it is too weak"},
	};
	const unsigned flags =
		GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
		GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT;
	unsigned status = 0, last = chain->count - 1;
	int rc = gnutls_x509_crt_list_verify(
		chain->crt, (int)last, &chain->crt[last], 1, NULL, 0, flags, &status);

	if (rc < 0)
		return unreadable(e, rc, "the chain cannot be verified");
	if (status == 0)
		return ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (status & causes[i].bit)
			return error_set(e, ERR_REFUSED, "chain: %s", causes[i].text);
	return refuse(e, "chain: it cannot be verified");
}

/* One of the issuers is in the chain, or certifies its last one. */
static enum err check_anchored(const struct chain *chain, const struct loaded *loaded,
	const struct certificates *issuers, struct error *e)
{
	gnutls_x509_crt_t last = loaded->crt[loaded->count - 1], crt = NULL;
	bool found = false;

	for (size_t i = 0; i < issuers->count && !found; i++) {
		unsigned status = 0;
		enum err err;

		for (size_t j = 1; j < chain->count; j++)
			if (blob_equal(&chain->certificate[j], &issuers->certificate[i]))
				return ERR_OK;
		err = x509_import(&issuers->certificate[i], ERR_CONFIG, &crt, e);
		if (err)
			return err;
		found = gnutls_x509_crt_check_issuer(last, crt) &&
			gnutls_x509_crt_verify(last, &crt, 1,
				GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
					GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT,
				&status) >= 0 &&
			status == 0;
		gnutls_x509_crt_deinit(crt);
	}
	return found ? ERR_OK : refuse(e, "it was issued by a CA that is not in issuer-file");
}

typedef enum err leaf_check(
	gnutls_x509_crt_t leaf, const struct certificate_demand *demand, struct error *e);

enum err certificate_check(
	const struct chain *chain, const struct certificate_demand *demand, struct error *e)
{
	static leaf_check *const checks[] = {check_version, check_public_key, check_san,
		check_subject, check_purposes, check_key_usage, check_not_ca, check_validity};
	struct loaded loaded = {.count = 0};
	enum err err = load(chain, &loaded, e);

	for (size_t i = 0; i < ARRAY_LEN(checks) && !err; i++)
		err = checks[i](loaded.crt[0], demand, e);
	if (!err)
		err = check_issuers(&loaded, demand, e);
	if (!err)
		err = check_path(&loaded, e);
	if (!err && demand->issuers)
		err = check_anchored(chain, &loaded, demand->issuers, e);
	unload(&loaded);
	return err ? error_context(e, "the certificate that the CA returned is refused") : ERR_OK;
}

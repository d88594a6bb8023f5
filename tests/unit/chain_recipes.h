#ifndef TESTS_UNIT_CHAIN_RECIPES_H
#define TESTS_UNIT_CHAIN_RECIPES_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "pki/certificate_check.h"
#include "pki_tools.h"

/* Chains of certificates made to order, wrong ones too, with GnuTLS directly. */

#define NOW 1700000000LL
#define MAIL GNUTLS_KP_EMAIL_PROTECTION
#define SIGN (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION)
#define CA_USAGE (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)
#define UTF8_MAILBOX "1.3.6.1.5.5.7.8.9"
#define ALICE "alice@example.com"
#define NO_CONSTRAINTS (-2) /* for pathlen */

/* A certificate as it is to be made. */
struct recipe {
	const char *dn;
	gnutls_x509_privkey_t key;
	unsigned version;
	unsigned char serial[24];
	size_t serial_len;
	const char *mail[2], *utf8_mail; /* alternative names */
	const char *purposes[2];
	unsigned key_usage; /* 0: none */
	int ca, pathlen;
	int64_t from, to;
	gnutls_digest_algorithm_t digest;
	const char *extension; /* one that nobody knows */
	bool critical;
	const char *excluded; /* name constraint */
};

struct authority {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

/* Root, intermediate and leaf; the keys are made once. */
struct fixture {
	gnutls_x509_privkey_t root_key, ca_key, leaf_key, rsa_key, weak_key;
	struct recipe root, ca, leaf;
	struct blob public_key;
	struct address address;
	struct certificate_demand demand;
	struct chain chain;
};

static struct fixture fixture;

#define assert_gnutls(call)                                              \
	do {                                                             \
		int rc_ = (call);                                        \
		if (rc_ < 0)                                             \
			fail_msg("%s: %s", #call, gnutls_strerror(rc_)); \
	} while (0)

static gnutls_x509_privkey_t generate(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	gnutls_x509_privkey_t key = NULL;

	assert_gnutls(gnutls_x509_privkey_init(&key));
	assert_gnutls(gnutls_x509_privkey_generate(key, algorithm, bits, 0));
	return key;
}

static void set_names(gnutls_x509_crt_t crt, const struct recipe *r)
{
	const char *bad = NULL;

	assert_gnutls(gnutls_x509_crt_set_dn(crt, r->dn, &bad));
	for (size_t i = 0; i < 2; i++)
		if (r->mail[i])
			assert_gnutls(gnutls_x509_crt_set_subject_alt_name(crt,
				GNUTLS_SAN_RFC822NAME, r->mail[i], (unsigned)strlen(r->mail[i]),
				GNUTLS_FSAN_APPEND));
	if (r->utf8_mail)
		assert_gnutls(gnutls_x509_crt_set_subject_alt_othername(crt, UTF8_MAILBOX,
			r->utf8_mail, (unsigned)strlen(r->utf8_mail),
			GNUTLS_FSAN_APPEND | GNUTLS_FSAN_ENCODE_UTF8_STRING));
}

static void set_constraints(gnutls_x509_crt_t crt, const char *excluded)
{
	gnutls_x509_name_constraints_t constraints = NULL;
	gnutls_datum_t name = {(unsigned char *)(uintptr_t)excluded, (unsigned)strlen(excluded)};

	assert_gnutls(gnutls_x509_name_constraints_init(&constraints));
	assert_gnutls(gnutls_x509_name_constraints_add_excluded(
		constraints, GNUTLS_SAN_RFC822NAME, &name));
	assert_gnutls(gnutls_x509_crt_set_name_constraints(crt, constraints, 1));
	gnutls_x509_name_constraints_deinit(constraints);
}

static void set_extensions(gnutls_x509_crt_t crt, const struct recipe *r)
{
	if (r->pathlen != NO_CONSTRAINTS)
		assert_gnutls(
			gnutls_x509_crt_set_basic_constraints(crt, (unsigned)r->ca, r->pathlen));
	if (r->key_usage)
		assert_gnutls(gnutls_x509_crt_set_key_usage(crt, r->key_usage));
	for (size_t i = 0; i < 2; i++)
		if (r->purposes[i])
			assert_gnutls(gnutls_x509_crt_set_key_purpose_oid(crt, r->purposes[i], 0));
	if (r->extension)
		assert_gnutls(gnutls_x509_crt_set_extension_by_oid(
			crt, r->extension, "\x05\x00", 2, r->critical));
	if (r->excluded)
		set_constraints(crt, r->excluded);
}

/* Without an issuer it signs itself. */
static struct authority make(const struct recipe *r, const struct authority *issuer)
{
	struct authority made = {NULL, r->key};
	gnutls_privkey_t signer = NULL;

	assert_gnutls(gnutls_x509_crt_init(&made.crt));
	assert_gnutls(gnutls_x509_crt_set_version(made.crt, r->version));
	assert_gnutls(gnutls_x509_crt_set_serial(made.crt, r->serial, r->serial_len));
	assert_gnutls(gnutls_x509_crt_set_activation_time(made.crt, r->from));
	assert_gnutls(gnutls_x509_crt_set_expiration_time(made.crt, r->to));
	assert_gnutls(gnutls_x509_crt_set_key(made.crt, r->key));
	set_names(made.crt, r);
	if (r->version == 3)
		set_extensions(made.crt, r);
	assert_gnutls(gnutls_privkey_init(&signer));
	assert_gnutls(gnutls_privkey_import_x509(signer, issuer ? issuer->key : r->key, 0));
	assert_gnutls(gnutls_x509_crt_privkey_sign(
		made.crt, issuer ? issuer->crt : made.crt, signer, r->digest, 0));
	gnutls_privkey_deinit(signer);
	return made;
}

static void append(struct chain *chain, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der = {NULL, 0};

	assert_gnutls(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
	assert_ok(blob_copy(der.data, der.size, &chain->certificate[chain->count++], e));
	gnutls_free(der.data);
}

/* Makes the chain of the three recipes: leaf, intermediate, root. */
static void make_chain(struct fixture *f)
{
	struct authority root = make(&f->root, NULL), ca = make(&f->ca, &root),
			 leaf = make(&f->leaf, &ca);

	chain_free(&f->chain);
	append(&f->chain, leaf.crt);
	append(&f->chain, ca.crt);
	append(&f->chain, root.crt);
	gnutls_x509_crt_deinit(leaf.crt);
	gnutls_x509_crt_deinit(ca.crt);
	gnutls_x509_crt_deinit(root.crt);
}

static const struct recipe an_authority = {
	.version = 3,
	.serial = {1},
	.serial_len = 1,
	.key_usage = CA_USAGE,
	.ca = 1,
	.pathlen = -1,
	.from = NOW - DAY,
	.to = NOW + 3650 * DAY,
	.digest = GNUTLS_DIG_SHA256,
};

static const struct recipe a_leaf = {
	.dn = "CN=Alice",
	.version = 3,
	.serial = {2},
	.serial_len = 1,
	.mail = {ALICE},
	.purposes = {MAIL},
	.key_usage = SIGN,
	.pathlen = -1,
	.from = NOW - 300,
	.to = NOW + 365 * DAY,
	.digest = GNUTLS_DIG_SHA256,
};

static void expect_key(struct fixture *f, gnutls_x509_privkey_t key)
{
	gnutls_privkey_t private = NULL;
	gnutls_pubkey_t public = NULL;
	gnutls_datum_t der = {NULL, 0};

	blob_free(&f->public_key);
	assert_gnutls(gnutls_privkey_init(&private));
	assert_gnutls(gnutls_privkey_import_x509(private, key, 0));
	assert_gnutls(gnutls_pubkey_init(&public));
	assert_gnutls(gnutls_pubkey_import_privkey(public, private, 0, 0));
	assert_gnutls(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der));
	assert_ok(blob_copy(der.data, der.size, &f->public_key, e));
	gnutls_free(der.data);
	gnutls_pubkey_deinit(public);
	gnutls_privkey_deinit(private);
}

static void expect_address(struct fixture *f, const char *mail)
{
	assert_ok(address_parse(mail, &f->address, e));
}

/* Back to what is right. */
static int set_up(void **state)
{
	struct fixture *f = &fixture;

	f->root = f->ca = an_authority;
	f->root.dn = "CN=Root";
	f->root.key = f->root_key;
	f->ca.dn = "CN=CA";
	f->ca.key = f->ca_key;
	f->leaf = a_leaf;
	f->leaf.key = f->leaf_key;
	expect_key(f, f->leaf_key);
	expect_address(f, ALICE);
	f->demand = (struct certificate_demand){
		.usage = USAGE_SIGNING,
		.address = &f->address,
		.public_key = &f->public_key,
		.now = NOW,
		.validity = 365 * DAY,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	chain_free(&f->chain);
	blob_free(&f->public_key);
	return 0;
}

static int make_keys(void **state)
{
	const unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

	(void)state;
	fixture.root_key = generate(GNUTLS_PK_ECDSA, p256);
	fixture.ca_key = generate(GNUTLS_PK_ECDSA, p256);
	fixture.leaf_key = generate(GNUTLS_PK_ECDSA, p256);
	fixture.rsa_key = generate(GNUTLS_PK_RSA, 2048);
	fixture.weak_key = generate(GNUTLS_PK_RSA, 1024);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	gnutls_x509_privkey_deinit(fixture.root_key);
	gnutls_x509_privkey_deinit(fixture.ca_key);
	gnutls_x509_privkey_deinit(fixture.leaf_key);
	gnutls_x509_privkey_deinit(fixture.rsa_key);
	gnutls_x509_privkey_deinit(fixture.weak_key);
	return 0;
}

/* Makes the chain anew and expects it to pass, or to be refused with those words. */
#define passes(f)                                                           \
	do {                                                                \
		make_chain(f);                                              \
		assert_ok(certificate_check(&(f)->chain, &(f)->demand, e)); \
	} while (0)

#define refused(f, words)                                                                        \
	do {                                                                                     \
		make_chain(f);                                                                   \
		assert_err(certificate_check(&(f)->chain, &(f)->demand, e), ERR_REFUSED, words); \
	} while (0)

#endif

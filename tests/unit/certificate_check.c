/*
 * Each test makes a chain that is right but for one thing, with GnuTLS
 * directly, and expects it to be refused for that thing.
 */

#include "chain_recipes.h"

/* --- what is right */

static void takes_what_is_right(void **state)
{
	struct fixture *f = *state;

	passes(f);
	f->leaf.pathlen = NO_CONSTRAINTS; /* a leaf may do without */
	passes(f);
	f->leaf.key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
	passes(f);
	f->leaf.purposes[1] = GNUTLS_KP_TLS_WWW_CLIENT;
	passes(f);
	f->ca.purposes[0] = MAIL;
	f->ca.pathlen = 0;
	f->ca.key_usage = 0;
	passes(f);
	f->root.purposes[0] = GNUTLS_KP_ANY;
	f->root.pathlen = 1;
	passes(f);
	f->leaf.extension = "1.2.3.4.5";
	passes(f);
}

static void takes_encryption_keys(void **state)
{
	struct fixture *f = *state;

	f->demand.usage = USAGE_ENCRYPTION;
	f->leaf.key_usage = GNUTLS_KEY_KEY_AGREEMENT;
	passes(f);
	f->leaf.key = f->rsa_key;
	expect_key(f, f->rsa_key);
	f->leaf.key_usage = GNUTLS_KEY_KEY_ENCIPHERMENT;
	passes(f);
	f->leaf.key_usage = GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DATA_ENCIPHERMENT;
	passes(f);
}

static void the_root_may_be_left_out(void **state)
{
	struct fixture *f = *state;

	make_chain(f);
	blob_free(&f->chain.certificate[2]);
	f->chain.count = 2;
	assert_ok(certificate_check(&f->chain, &f->demand, e));
}

/* --- the chain */

static void refuses_a_leaf_alone(void **state)
{
	struct fixture *f = *state;

	make_chain(f);
	blob_free(&f->chain.certificate[2]);
	blob_free(&f->chain.certificate[1]);
	f->chain.count = 1;
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "without its issuer");
	blob_free(&f->chain.certificate[0]);
	f->chain.count = 0;
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "no certificate");
}

static void refuses_garbage(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		make_chain(f);
		f->chain.certificate[i].len--;
		assert_err(
			certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "cannot be read");
		f->chain.certificate[i].len = 0;
		assert_err(
			certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "cannot be read");
	}
}

static void swap(struct chain *chain, size_t a, size_t b)
{
	struct blob held = chain->certificate[a];

	chain->certificate[a] = chain->certificate[b];
	chain->certificate[b] = held;
}

static void refuses_a_wrong_order(void **state)
{
	struct fixture *f = *state;

	make_chain(f);
	swap(&f->chain, 1, 2);
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED,
		"certificate 1 of the chain (CN=Alice): the next certificate of the chain is not its issuer");
	make_chain(f);
	swap(&f->chain, 0, 1);
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "public key");
	make_chain(f); /* one missing in the middle */
	blob_free(&f->chain.certificate[1]);
	swap(&f->chain, 1, 2);
	f->chain.count = 2;
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "not its issuer");
}

/* An issuer of the same name, with another key. */
static void refuses_a_foreign_issuer(void **state)
{
	struct fixture *f = *state;
	struct blob leaf = {NULL, 0};

	make_chain(f);
	assert_ok(blob_copy(f->chain.certificate[0].data, f->chain.certificate[0].len, &leaf, e));
	f->ca.key = f->root_key;
	make_chain(f);
	blob_free(&f->chain.certificate[0]);
	f->chain.certificate[0] = leaf;
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "signature");
}

static void refuses_broken_signatures(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		make_chain(f);
		f->chain.certificate[i].data[f->chain.certificate[i].len - 1] ^= 1;
		assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "signature");
	}
}

static void refuses_issuers_that_are_none(void **state)
{
	struct fixture *f = *state;

	f->ca.ca = 0;
	refused(f, "certificate 2 of the chain (CN=CA): it is not a CA");
	f->ca.pathlen = NO_CONSTRAINTS;
	refused(f, "certificate 2 of the chain (CN=CA): it is not a CA");
	f->ca.ca = 1;
	f->ca.pathlen = -1;
	f->ca.key_usage = GNUTLS_KEY_CRL_SIGN;
	refused(f, "certificate 2 of the chain (CN=CA): its key usage");
	f->ca.key_usage = CA_USAGE;
	f->ca.purposes[0] = GNUTLS_KP_TLS_WWW_SERVER;
	refused(f,
		"certificate 2 of the chain (CN=CA): its extended key usage lacks emailProtection");
	f->ca.purposes[0] = NULL;
	f->root.ca = 0;
	refused(f, "certificate 3 of the chain (CN=Root): it is not a CA");
}

static void refuses_issuers_out_of_date(void **state)
{
	struct fixture *f = *state;

	f->ca.to = NOW - 1;
	refused(f, "certificate 2 of the chain (CN=CA): it has expired on 2023-11-14T22:13:19Z");
	f->ca.to = NOW + 10 * DAY;
	f->ca.from = NOW + DAY;
	refused(f,
		"certificate 2 of the chain (CN=CA): it is not valid before 2023-11-15T22:13:20Z");
	f->ca.from = NOW - DAY;
	f->root.to = NOW - 1;
	refused(f, "certificate 3 of the chain (CN=Root): it has expired");
}

static void refuses_what_issuers_forbid(void **state)
{
	struct fixture *f = *state;

	f->root.pathlen = 0;
	refused(f, "constraints forbid");
	f->root.pathlen = -1;
	f->root.excluded = "example.com";
	refused(f, "constraints forbid");
	f->root.excluded = NULL;
	f->ca.excluded = "example.com";
	refused(f, "constraints forbid");
	f->ca.excluded = "example.net";
	passes(f);
}

static void refuses_weak_signatures(void **state)
{
	struct fixture *f = *state;

	f->leaf.digest = GNUTLS_DIG_SHA1;
	refused(f, "certificate 1 of the chain (CN=Alice): it is signed with a weak algorithm");
	f->leaf.digest = GNUTLS_DIG_SHA256;
	f->ca.digest = GNUTLS_DIG_SHA1;
	refused(f, "certificate 2 of the chain (CN=CA): it is signed with a weak algorithm");
	f->ca.digest = GNUTLS_DIG_SHA256;
	f->root.digest = GNUTLS_DIG_SHA1; /* a root's own signature does not matter */
	passes(f);
	f->ca.key = f->rsa_key;
	f->leaf.digest = GNUTLS_DIG_MD5;
	refused(f, "certificate 1 of the chain (CN=Alice): it is signed with a weak algorithm");
	f->leaf.digest = GNUTLS_DIG_SHA512;
	passes(f);
}

static void refuses_weak_keys(void **state)
{
	struct fixture *f = *state;

	f->ca.key = f->weak_key;
	refused(f, "certificate 2 of the chain (CN=CA): its key is too weak");
	f->ca.key = f->ca_key;
	f->root.key = f->weak_key;
	refused(f, "certificate 3 of the chain (CN=Root): its key is too weak");
	f->root.key = f->root_key;
	f->leaf.key = f->weak_key;
	expect_key(f, f->weak_key);
	refused(f, "certificate 1 of the chain (CN=Alice): its key is too weak");
}

static void refuses_unknown_critical_extensions(void **state)
{
	struct fixture *f = *state;
	struct recipe *all[] = {&f->leaf, &f->ca, &f->root};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i]->extension = "1.2.3.4.5";
		all[i]->critical = true;
		refused(f, "critical extension");
		all[i]->extension = NULL;
	}
}

/* An extension must not occur twice (RFC 5280, 4.2). */
static void refuses_doubled_extensions(void **state)
{
	static const unsigned char unknown[] = {0x06, 0x03, 0x55, 0x1d, 0x63};
	struct fixture *f = *state;
	unsigned char *at;

	f->leaf.extension = "2.5.29.99";
	make_chain(f);
	at = memmem(f->chain.certificate[0].data, f->chain.certificate[0].len, unknown,
		sizeof(unknown));
	assert_non_null(at);
	at[4] = 0x25; /* extended key usage */
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "cannot be read");
}

/* --- the leaf */

static void refuses_another_key(void **state)
{
	struct fixture *f = *state;

	f->leaf.key = f->root_key;
	refused(f, "another public key");
	f->leaf.key = f->rsa_key;
	refused(f, "another public key");
}

static void refuses_other_addresses(void **state)
{
	static const char *const others[] = {"bob@example.com", "Alice@example.com",
		"alice@example.co", "alice@example.com.evil.example", "xalice@example.com",
		"alice@example.con", "alice", "\"alice\"@example.com"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		f->leaf.mail[0] = others[i];
		refused(f, "another mail address");
	}
	f->leaf.mail[0] = "alice@EXAMPLE.Com"; /* RFC 5280, 7.5 */
	passes(f);
}

static void refuses_more_than_one_address(void **state)
{
	struct fixture *f = *state;

	f->leaf.mail[1] = "bob@example.com";
	refused(f, "another mail address");
	f->leaf.mail[1] = ALICE;
	refused(f, "more than once");
	f->leaf.mail[1] = NULL;
	f->leaf.utf8_mail = "jörg@example.com";
	refused(f, "another mail address");
	f->leaf.utf8_mail = ALICE; /* RFC 9598, 3: not for an ASCII local part */
	refused(f, "another mail address");
	f->leaf.mail[0] = NULL;
	refused(f, "another mail address");
	f->leaf.utf8_mail = NULL;
	refused(f, "no subject alternative name");
}

static void refuses_alternative_names_without_mail(void **state)
{
	struct fixture *f = *state;
	/* dNSName alice.example */
	static const char der[] = "\x30\x0f\x82\x0d"
				  "alice.example";
	struct authority root = make(&f->root, NULL), ca = make(&f->ca, &root), leaf;
	gnutls_privkey_t signer = NULL;

	f->leaf.mail[0] = NULL;
	leaf = make(&f->leaf, &ca);
	assert_gnutls(gnutls_x509_crt_set_extension_by_oid(
		leaf.crt, GNUTLS_X509EXT_OID_SAN, der, sizeof(der) - 1, 0));
	assert_gnutls(gnutls_privkey_init(&signer));
	assert_gnutls(gnutls_privkey_import_x509(signer, ca.key, 0));
	assert_gnutls(gnutls_x509_crt_privkey_sign(leaf.crt, ca.crt, signer, GNUTLS_DIG_SHA256, 0));
	append(&f->chain, leaf.crt);
	append(&f->chain, ca.crt);
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "have no mail");
	gnutls_privkey_deinit(signer);
	gnutls_x509_crt_deinit(leaf.crt);
	gnutls_x509_crt_deinit(ca.crt);
	gnutls_x509_crt_deinit(root.crt);
}

static void checks_utf8_mailboxes(void **state)
{
	static const char long_one[] =
		"jörg@ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd."
		"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.example";
	struct fixture *f = *state;

	f->leaf.mail[0] = NULL;
	f->leaf.utf8_mail = "jörg@xn--bcher-kva.example";
	expect_address(f, "jörg@bücher.example");
	passes(f);
	expect_address(f, "jorg@bücher.example");
	refused(f, "another mail address");
	expect_address(f, "jörg@example.com");
	refused(f, "another mail address");
	f->leaf.utf8_mail = long_one; /* a length of two octets */
	expect_address(f, long_one);
	passes(f);
	f->leaf.utf8_mail = "jörh@example.com";
	refused(f, "another mail address");
}

/* RFC 8550, 3 */
static void looks_into_the_subject(void **state)
{
	struct fixture *f = *state;

	f->leaf.dn = "EMAIL=alice@example.com,CN=Alice";
	passes(f);
	f->leaf.dn = "EMAIL=bob@example.com,CN=Alice";
	refused(f, "its subject names another mail address");
	f->leaf.dn = "CN=Alice,EMAIL=alice@example.com,O=x,EMAIL=bob@example.com";
	refused(f, "its subject names another mail address");
	f->leaf.dn = "CN=bob@example.com"; /* a name, whatever it looks like */
	passes(f);
}

static void refuses_other_purposes(void **state)
{
	struct fixture *f = *state;

	f->leaf.purposes[0] = NULL;
	refused(f, "lacks emailProtection");
	f->leaf.purposes[0] = GNUTLS_KP_TLS_WWW_CLIENT;
	refused(f, "lacks emailProtection");
	f->leaf.purposes[0] = GNUTLS_KP_ANY;
	refused(f, "open to any purpose");
	f->leaf.purposes[1] = MAIL;
	refused(f, "open to any purpose");
	f->leaf.purposes[0] = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25."
			      "26.27.28.29.30.31.32.33.34.35.36.37.38.39.40.41.42.43.44.45.46";
	passes(f);
}

static void refuses_wrong_key_usages(void **state)
{
	static const struct {
		enum usage usage;
		bool rsa;
		unsigned bits;
		const char *why;
	} rows[] = {
		{USAGE_SIGNING, false, 0, "it has no key usage"},
		{USAGE_SIGNING, false, GNUTLS_KEY_NON_REPUDIATION, "does not allow signing"},
		{USAGE_SIGNING, true, GNUTLS_KEY_KEY_ENCIPHERMENT, "does not allow signing"},
		{USAGE_SIGNING, true, SIGN | GNUTLS_KEY_KEY_ENCIPHERMENT, "more than signing"},
		{USAGE_SIGNING, false, SIGN | GNUTLS_KEY_KEY_AGREEMENT, "more than signing"},
		{USAGE_SIGNING, false, SIGN | GNUTLS_KEY_KEY_CERT_SIGN, "more than signing"},
		{USAGE_SIGNING, false, SIGN | GNUTLS_KEY_CRL_SIGN, "more than signing"},
		{USAGE_ENCRYPTION, true, GNUTLS_KEY_DIGITAL_SIGNATURE, "not allow encryption"},
		{USAGE_ENCRYPTION, true, GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DIGITAL_SIGNATURE,
			"more than encryption"},
		{USAGE_ENCRYPTION, true, GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_NON_REPUDIATION,
			"more than encryption"},
		{USAGE_ENCRYPTION, true, GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_KEY_AGREEMENT,
			"more than encryption"},
		{USAGE_ENCRYPTION, true, GNUTLS_KEY_KEY_AGREEMENT, "not allow encryption"},
		{USAGE_ENCRYPTION, false, GNUTLS_KEY_KEY_ENCIPHERMENT, "not allow encryption"},
		{USAGE_ENCRYPTION, false, GNUTLS_KEY_KEY_AGREEMENT | GNUTLS_KEY_DIGITAL_SIGNATURE,
			"more than encryption"},
		{USAGE_ENCRYPTION, false, GNUTLS_KEY_KEY_AGREEMENT | GNUTLS_KEY_ENCIPHER_ONLY,
			"more than encryption"},
		{USAGE_ENCRYPTION, false, 0, "it has no key usage"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f->demand.usage = rows[i].usage;
		f->leaf.key_usage = rows[i].bits;
		f->leaf.key = rows[i].rsa ? f->rsa_key : f->leaf_key;
		expect_key(f, f->leaf.key);
		refused(f, rows[i].why);
	}
}

static void refuses_a_ca_as_leaf(void **state)
{
	struct fixture *f = *state;

	f->leaf.ca = 1;
	refused(f, "it is a CA's certificate");
}

static void refuses_wrong_dates(void **state)
{
	struct fixture *f = *state;

	f->leaf.from = NOW + 301;
	refused(f, "it is not valid before 2023-11-14T22:18:21Z");
	f->leaf.from = NOW + 299; /* the CA's clock may be a little ahead */
	passes(f);
	f->leaf.from = NOW - 10 * DAY;
	f->leaf.to = NOW - 1;
	refused(f, "it has expired on 2023-11-14T22:13:19Z");
	f->leaf.to = NOW + 365 * DAY + 301;
	refused(f, "valid until 2024-11-13T22:18:21Z, longer than asked");
	f->leaf.to = NOW + 365 * DAY + 300;
	passes(f);
}

/* A CA may round up, for example to the end of a day. */
static void takes_a_certificate_that_the_ca_rounds_up(void **state)
{
	struct fixture *f = *state;

	f->demand.leeway = DAY;
	f->leaf.to = NOW + 366 * DAY + 301;
	refused(f, "valid until 2024-11-14T22:18:21Z, longer than asked");
	f->leaf.to = NOW + 366 * DAY + 300;
	passes(f);
}

static void refuses_malformed_numbers(void **state)
{
	struct fixture *f = *state;

	f->leaf.version = 1;
	f->leaf.mail[0] = NULL;
	refused(f, "version 3");
	f->leaf = a_leaf;
	f->leaf.key = f->leaf_key;
	f->leaf.serial[0] = 0x80;
	refused(f, "negative");
	memset(f->leaf.serial, 0x11, sizeof(f->leaf.serial));
	f->leaf.serial_len = 21;
	refused(f, "longer than 20 octets");
	f->leaf.serial_len = 20;
	passes(f);
	f->leaf.serial_len = 21;
	f->leaf.serial[0] = 0;
	f->leaf.serial[1] = 0x91;
	passes(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Only the CAs of issuer-file may issue. */
static void checks_who_issued(void **state)
{
	struct fixture *f = *state;
	struct certificates issuers = {.count = 0};
	struct recipe other = f->root;
	struct authority stranger;
	struct chain more = {0};

	f->demand.issuers = &issuers;
	refused(f, "issued by a CA that is not in issuer-file");
	other.key = f->rsa_key;
	stranger = make(&other, NULL); /* of the root's name */
	append(&more, stranger.crt);
	issuers.certificate[issuers.count++] = more.certificate[0];
	refused(f, "issued by a CA that is not in issuer-file");
	/* the root, which is in the chain; then, when it is not */
	issuers.certificate[issuers.count++] = f->chain.certificate[2];
	assert_ok(certificate_check(&f->chain, &f->demand, e));
	f->chain.count = 2;
	assert_ok(certificate_check(&f->chain, &f->demand, e));
	/* the leaf is not its own issuer */
	issuers.certificate[1] = f->chain.certificate[0];
	assert_err(certificate_check(&f->chain, &f->demand, e), ERR_REFUSED, "not in issuer-file");
	issuers.certificate[1] = f->chain.certificate[1];
	assert_ok(certificate_check(&f->chain, &f->demand, e));
	f->chain.count = 3;
	chain_free(&more);
	gnutls_x509_crt_deinit(stranger.crt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_what_is_right),
		TEST(takes_encryption_keys),
		TEST(the_root_may_be_left_out),
		TEST(refuses_a_leaf_alone),
		TEST(refuses_garbage),
		TEST(refuses_a_wrong_order),
		TEST(refuses_a_foreign_issuer),
		TEST(refuses_broken_signatures),
		TEST(refuses_issuers_that_are_none),
		TEST(refuses_issuers_out_of_date),
		TEST(refuses_what_issuers_forbid),
		TEST(refuses_weak_signatures),
		TEST(refuses_weak_keys),
		TEST(refuses_unknown_critical_extensions),
		TEST(refuses_doubled_extensions),
		TEST(refuses_another_key),
		TEST(refuses_other_addresses),
		TEST(refuses_more_than_one_address),
		TEST(refuses_alternative_names_without_mail),
		TEST(checks_utf8_mailboxes),
		TEST(checks_who_issued),
		TEST(looks_into_the_subject),
		TEST(refuses_other_purposes),
		TEST(refuses_wrong_key_usages),
		TEST(refuses_a_ca_as_leaf),
		TEST(refuses_wrong_dates),
		TEST(takes_a_certificate_that_the_ca_rounds_up),
		TEST(refuses_malformed_numbers),
	};

	return cmocka_run_group_tests_name("certificate_check", tests, make_keys, free_keys);
}

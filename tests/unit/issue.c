/* Certificates of the local CA, judged by openssl and certtool. */

#include "pki/issue.h"

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki_tools.h"

#define NOW 1700000000LL /* 2023-11-14T22:13:20Z */
#define TEN_YEARS (3652 * DAY)

static int64_t now = NOW;

static int64_t test_clock(void)
{
	return now;
}

/* A CA, and an order that the tests change. */
struct fixture {
	struct key *ca_key, *key;
	struct blob root, public_key;
	struct issuer *issuer;
	struct name subject;
	struct address address;
	struct leaf_order order;
	char *folder, *root_pem;
};

static void set_up_ca(struct fixture *f, enum key_type type, int64_t from, int64_t to)
{
	struct name name = new_name("CN=Test CA,O=Acme,C=DE");
	struct blob pem = {NULL, 0};

	f->ca_key = new_key(type);
	assert_ok(issue_root(f->ca_key, &name, from, to, &f->root, e));
	assert_ok(issuer_new(&f->root, f->ca_key, &f->issuer, e));
	assert_ok(certificate_to_pem(&f->root, &pem, e));
	f->folder = new_folder();
	f->root_pem = write_file(f->folder, "root.pem", &pem);
	blob_free(&pem);
}

static void set_up_order(struct fixture *f, enum key_type type)
{
	f->key = new_key(type);
	f->public_key = public_of(f->key);
	f->subject = new_name("CN=Alice,O=Acme");
	assert_ok(address_parse("alice@example.com", &f->address, e));
	f->order = (struct leaf_order){
		.usage = USAGE_SIGNING,
		.subject = &f->subject,
		.address = &f->address,
		.public_key = &f->public_key,
		.not_before = NOW - 300,
		.not_after = NOW + 365 * DAY,
	};
}

static void set_up(struct fixture *f, enum key_type ca, enum key_type leaf)
{
	*f = (struct fixture){.issuer = NULL};
	set_up_ca(f, ca, NOW - 3600, NOW + TEN_YEARS);
	set_up_order(f, leaf);
}

static void tear_down(struct fixture *f)
{
	remove_folder(f->folder);
	free(f->root_pem);
	issuer_free(f->issuer);
	key_free(f->ca_key);
	key_free(f->key);
	blob_free(&f->root);
	blob_free(&f->public_key);
	now = NOW;
}

static struct blob issue(struct fixture *f)
{
	struct blob leaf = {NULL, 0};

	assert_ok(issue_leaf(f->issuer, &f->order, &leaf, e));
	return leaf;
}

static void assert_verifies(const struct fixture *f, const struct blob *leaf, const char *purpose)
{
	struct blob pem = {NULL, 0};
	char *said = NULL;

	assert_ok(certificate_to_pem(leaf, &pem, e));
	if (TOOL(&pem, &said, "openssl", "verify", "-x509_strict", "-attime", "1700000000",
		    "-CAfile", f->root_pem, "-purpose", purpose, "-verify_email",
		    f->address.text) != 0)
		fail_msg("%s", said);
	free(said);
	blob_free(&pem);
}

/* In openssl 3.0 smimeencrypt means RSA only. */
static void issues_for_all_keys(void **state)
{
	static const struct {
		enum key_type ca, leaf;
		enum usage usage;
		const char *key_usage, *signature, *purpose;
	} rows[] = {
		{KEY_RSA_3072, KEY_RSA_2048, USAGE_SIGNING, "Digital Signature, Non Repudiation",
			"sha256WithRSAEncryption", "smimesign"},
		{KEY_RSA_3072, KEY_RSA_2048, USAGE_ENCRYPTION, "Key Encipherment",
			"sha256WithRSAEncryption", "smimeencrypt"},
		{KEY_EC_P256, KEY_RSA_3072, USAGE_ENCRYPTION, "Key Encipherment",
			"ecdsa-with-SHA256", "smimeencrypt"},
		{KEY_EC_P256, KEY_EC_P256, USAGE_SIGNING, "Digital Signature, Non Repudiation",
			"ecdsa-with-SHA256", "smimesign"},
		{KEY_EC_P384, KEY_EC_P256, USAGE_ENCRYPTION, "Key Agreement", "ecdsa-with-SHA384",
			"any"},
		{KEY_RSA_2048, KEY_EC_P384, USAGE_ENCRYPTION, "Key Agreement",
			"sha256WithRSAEncryption", "any"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char wanted[128], *said;
		struct fixture f;
		struct blob leaf;

		set_up(&f, rows[i].ca, rows[i].leaf);
		f.order.usage = rows[i].usage;
		leaf = issue(&f);
		said = show_certificate(&leaf);
		snprintf(wanted, sizeof(wanted), "Key Usage: critical\n                %s\n",
			rows[i].key_usage);
		assert_has(said, wanted);
		assert_has(said, rows[i].signature);
		assert_verifies(&f, &leaf, rows[i].purpose);
		free(said);
		blob_free(&leaf);
		tear_down(&f);
	}
}

/* The profile of the S/MIME Baseline Requirements, 7.1.2.3, as openssl and certtool see it. */
static void has_the_whole_profile(void **state)
{
	static char first[] = "1.3.6.1.4.1.99999.1", second[] = "1.3.6.1.4.1.99999.2.16384";
	static char *policies[] = {first, second, NULL};
	static const char *const parts[] = {
		"Version: 3 (0x2)",
		"Issuer: CN=Test CA,O=Acme,C=DE\n",
		"Not Before: Nov 14 22:08:20 2023 GMT",
		"Not After : Nov 13 22:13:20 2024 GMT",
		"Subject: CN=Alice,O=Acme\n",
		"Basic Constraints: critical\n                CA:FALSE\n",
		"Extended Key Usage: \n                E-mail Protection\n",
		"Subject Alternative Name: \n                email:alice@example.com\n",
		"CRL Distribution Points: \n                Full Name:\n"
		"                  URI:http://pki.example.com/ca.crl\n",
		"Authority Information Access: \n"
		"                CA Issuers - URI:http://pki.example.com/ca.cer\n",
		"Certificate Policies: \n                Policy: 1.3.6.1.4.1.99999.1\n"
		"                Policy: 1.3.6.1.4.1.99999.2.16384\n",
	};
	struct fixture f;
	struct blob leaf;
	char *said;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	f.order.policies = policies;
	f.order.crl_url = "http://pki.example.com/ca.crl";
	f.order.issuer_url = "http://pki.example.com/ca.cer";
	leaf = issue(&f);
	said = show_certificate(&leaf);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_has(said, parts[i]);
	free(said);
	assert_int_equal(TOOL(&leaf, &said, "certtool", "--inder", "--certificate-info"), 0);
	assert_has(said, "RFC822Name: alice@example.com");
	assert_has(said, "Email protection");
	free(said);
	assert_verifies(&f, &leaf, "smimesign");
	blob_free(&leaf);
	tear_down(&f);
}

static void leaves_out_what_is_not_configured(void **state)
{
	struct fixture f;
	struct blob leaf;
	char *said;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	leaf = issue(&f);
	said = show_certificate(&leaf);
	assert_has_not(said, "CRL Distribution");
	assert_has_not(said, "Authority Information");
	assert_has_not(said, "Policies");
	free(said);
	blob_free(&leaf);
	tear_down(&f);
}

/* The line behind a heading, without its white space. */
static void value_of(const char *said, const char *heading, char out[128])
{
	const char *at = strstr(said, heading);

	assert_non_null(at);
	at += strlen(heading);
	at += strspn(at, " \n");
	snprintf(out, 128, "%.*s", (int)strcspn(at, "\n"), at);
}

static void key_ids_link_leaf_and_root(void **state)
{
	char authority[128], root_id[128], leaf_id[128];
	struct fixture f;
	struct blob leaf;
	char *said;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	leaf = issue(&f);
	said = show_certificate(&f.root);
	value_of(said, "Subject Key Identifier:", root_id);
	free(said);
	said = show_certificate(&leaf);
	value_of(said, "Authority Key Identifier:", authority);
	value_of(said, "Subject Key Identifier:", leaf_id);
	free(said);
	assert_string_equal(authority, root_id);
	assert_string_not_equal(leaf_id, root_id);
	assert_int_equal(strlen(leaf_id), 20 * 3 - 1);
	blob_free(&leaf);
	tear_down(&f);
}

/* Positive, of full length, and never the same. */
static void serials_are_random(void **state)
{
	char serials[64][SERIAL_HEX_SIZE];
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		struct certificate_info info = {.not_before = 0};
		struct blob leaf = issue(&f);

		assert_ok(certificate_info(&leaf, &info, e));
		assert_int_equal(strlen(info.serial), 32);
		assert_in_range(info.serial[0], '4', '7');
		memcpy(serials[i], info.serial, sizeof(info.serial));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(serials[i], serials[j]);
		blob_free(&leaf);
	}
	tear_down(&f);
}

static enum err put(void *ctx, const char *value, struct buf *out, struct error *e)
{
	(void)e;
	(void)value;
	buf_puts(out, ctx);
	return ERR_OK;
}

/* Any user's name is one value of one attribute. */
static void hostile_names_stay_values(void **state)
{
	static struct {
		char given[32];
		const char *shown;
	} rows[] = {
		{"x,O=Evil", "CN=x\\,O=Evil"},
		{"x+O=Evil", "CN=x\\+O=Evil"},
		{"#3000", "CN=\\#3000"},
		{" x ", "CN=\\ x\\ "},
		{"\"x\"", "CN=\\\"x\\\""},
		{"x\\", "CN=x\\\\"},
		{"a/CN=b", "CN=a/CN=b"},
		{"<x>;", "CN=\\<x\\>\\;"},
		{"日本 😀", "CN=日本 😀"},
		{"O'Brien", "CN=O'Brien"},
		{"*", "CN=*"},
	};
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char wanted[128], *said = NULL;
		struct blob leaf;

		assert_ok(name_build("CN={name}", put, rows[i].given, &f.subject, e));
		leaf = issue(&f);
		assert_int_equal(TOOL(&leaf, &said, "openssl", "x509", "-inform", "DER", "-noout",
					 "-subject", "-nameopt", "RFC2253,utf8,-esc_msb"),
			0);
		snprintf(wanted, sizeof(wanted), "subject=%s\n", rows[i].shown);
		assert_string_equal(said, wanted);
		free(said);
		blob_free(&leaf);
	}
	tear_down(&f);
}

static void encodes_each_attribute_as_its_type(void **state)
{
	struct fixture f;
	struct blob leaf;
	char *said = NULL;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	f.subject = new_name("CN=Jörg,emailAddress=a@example.com,serialNumber=7,DC=x,C=DE");
	leaf = issue(&f);
	assert_int_equal(TOOL(&leaf, &said, "openssl", "x509", "-inform", "DER", "-noout",
				 "-subject", "-nameopt", "RFC2253,utf8,-esc_msb,show_type"),
		0);
	assert_string_equal(said, "subject=CN=UTF8STRING:Jörg,emailAddress=IA5STRING:a@example.com,"
				  "serialNumber=PRINTABLESTRING:7,DC=IA5STRING:x,"
				  "C=PRINTABLESTRING:DE\n");
	free(said);
	blob_free(&leaf);
	tear_down(&f);
}

static void carries_any_valid_address(void **state)
{
	static const struct {
		const char *given, *shown;
	} rows[] = {
		{"o'brien@example.com", "email:o'brien@example.com\n"},
		{"a@bücher.example", "email:a@xn--bcher-kva.example\n"},
		{"#$&'*+-/=?^_`{|}~@example.com", "email:#$&'*+-/=?^_`{|}~@example.com\n"},
	};
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blob leaf;
		char *said;

		assert_ok(address_parse(rows[i].given, &f.address, e));
		leaf = issue(&f);
		said = show_certificate(&leaf);
		assert_has(said, rows[i].shown);
		free(said);
		blob_free(&leaf);
	}
	tear_down(&f);
}

static void carries_a_local_part_in_any_script(void **state)
{
	struct fixture f;
	struct blob leaf;
	char *said;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	assert_ok(address_parse("jörg@bücher.example", &f.address, e));
	leaf = issue(&f);
	assert_utf8_mailbox(&leaf, "jörg@xn--bcher-kva.example");
	said = show_certificate(&leaf);
	assert_has_not(said, "email:");
	free(said);
	blob_free(&leaf);
	tear_down(&f);
}

static void stays_inside_the_issuers_validity(void **state)
{
	struct certificate_info info = {.not_before = 0};
	struct fixture f = {.issuer = NULL};
	struct blob leaf;

	(void)state;
	set_up_ca(&f, KEY_EC_P256, NOW - 60, NOW + 30 * DAY);
	set_up_order(&f, KEY_EC_P256);
	leaf = issue(&f);
	assert_ok(certificate_info(&leaf, &info, e));
	assert_int_equal(info.not_before, NOW - 60);
	assert_int_equal(info.not_after, NOW + 30 * DAY);
	blob_free(&leaf);
	now = NOW + 30 * DAY + 1;
	assert_err(issue_leaf(f.issuer, &f.order, &leaf, e), ERR_CONFIG,
		"has expired: it is valid from 2023-11-14T22:12:20Z to 2023-12-14T22:13:20Z");
	tear_down(&f);
}

static void dates_beyond_2049(void **state)
{
	struct certificate_info info = {.not_before = 0};
	struct fixture f = {.issuer = NULL};
	struct blob leaf;

	(void)state;
	set_up_ca(&f, KEY_EC_P256, NOW - 60, NOW + 30 * 366 * DAY);
	set_up_order(&f, KEY_EC_P256);
	f.order.not_after = NOW + 29 * 366 * DAY;
	leaf = issue(&f);
	assert_ok(certificate_info(&leaf, &info, e));
	assert_int_equal(info.not_after, NOW + 29 * 366 * DAY);
	assert_verifies(&f, &leaf, "smimesign");
	blob_free(&leaf);
	tear_down(&f);
}

static void refuses_what_is_no_policy(void **state)
{
	static char bad[][24] = {"any", "1", "1.2.x", "", "1.", ".1", "1..2", "3.1", "1.02", "1.2 ",
		"1.99999999999", "1.-1", "1.40"};
	struct blob leaf = {NULL, 0};
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *policies[] = {bad[i], NULL};

		f.order.policies = policies;
		assert_err(issue_leaf(f.issuer, &f.order, &leaf, e), ERR_CONFIG, bad[i]);
		assert_null(leaf.data);
	}
	tear_down(&f);
}

static void root_is_a_proper_ca(void **state)
{
	static const char *const parts[] = {
		"Version: 3 (0x2)",
		"Issuer: CN=Test CA,O=Acme,C=DE\n",
		"Subject: CN=Test CA,O=Acme,C=DE\n",
		"Public-Key: (3072 bit)",
		"sha256WithRSAEncryption",
		"Basic Constraints: critical\n                CA:TRUE, pathlen:0\n",
		"Key Usage: critical\n                Certificate Sign, CRL Sign\n",
		"Subject Key Identifier:",
	};
	struct blob pem = {NULL, 0};
	struct fixture f;
	char *said;

	(void)state;
	set_up(&f, KEY_RSA_3072, KEY_EC_P256);
	said = show_certificate(&f.root);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_has(said, parts[i]);
	free(said);
	assert_ok(certificate_to_pem(&f.root, &pem, e));
	if (TOOL(&pem, &said, "openssl", "verify", "-x509_strict", "-check_ss_sig", "-attime",
		    "1700000000", "-CAfile", f.root_pem) != 0)
		fail_msg("%s", said);
	free(said);
	blob_free(&pem);
	tear_down(&f);
}

static void issuers_must_fit(void **state)
{
	struct issuer *issuer = NULL;
	struct blob leaf, garbage = {(unsigned char *)(uintptr_t) "x", 1};
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256, KEY_EC_P256);
	leaf = issue(&f);
	assert_err(issuer_new(&f.root, f.key, &issuer, e), ERR_CONFIG, "for another key");
	assert_err(issuer_new(&leaf, f.key, &issuer, e), ERR_CONFIG, "is not a CA certificate");
	assert_err(issuer_new(&garbage, f.key, &issuer, e), ERR_CONFIG, "cannot be read");
	now = NOW - 3601;
	assert_null(issuer);
	assert_ok(issuer_new(&f.root, f.ca_key, &issuer, e));
	assert_err(issuer_check_time(issuer, e), ERR_CONFIG,
		"not valid yet: it is valid from 2023-11-14T21:13:20Z to 2033-11-13T22:13:20Z");
	now = NOW + TEN_YEARS + 1;
	assert_err(issuer_check_time(issuer, e), ERR_CONFIG, "has expired");
	issuer_free(issuer);
	blob_free(&leaf);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issues_for_all_keys),
		cmocka_unit_test(has_the_whole_profile),
		cmocka_unit_test(leaves_out_what_is_not_configured),
		cmocka_unit_test(key_ids_link_leaf_and_root),
		cmocka_unit_test(serials_are_random),
		cmocka_unit_test(hostile_names_stay_values),
		cmocka_unit_test(encodes_each_attribute_as_its_type),
		cmocka_unit_test(carries_any_valid_address),
		cmocka_unit_test(carries_a_local_part_in_any_script),
		cmocka_unit_test(stays_inside_the_issuers_validity),
		cmocka_unit_test(dates_beyond_2049),
		cmocka_unit_test(refuses_what_is_no_policy),
		cmocka_unit_test(root_is_a_proper_ca),
		cmocka_unit_test(issuers_must_fit),
	};

	clock_replace(test_clock);
	return cmocka_run_group_tests_name("issue", tests, NULL, NULL);
}

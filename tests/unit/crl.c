/* Revocation lists, judged by openssl and certtool. */

#include "pki/crl.h"

#include <time.h>

#include "base/clock.h"
#include "pki/issue.h"
#include "pki_tools.h"

#define NOW 1700000000LL				       /* 2023-11-14T22:13:20Z */
#define HIGH_SERIAL "ff00112233445566778899aabbccddeeff001122" /* 20 octets, the top bit set */

static int64_t now = NOW;

static int64_t test_clock(void)
{
	return now;
}

struct fixture {
	char *folder, *ca_file;
	struct key *key;
	struct blob ca; /* DER */
	struct issuer *issuer;
};

static void set_up(struct fixture *f, enum key_type type)
{
	struct name subject = new_name("CN=Test CA,O=Acme");
	struct blob pem = {NULL, 0};

	*f = (struct fixture){.folder = new_folder(), .key = new_key(type)};
	assert_ok(issue_root(f->key, &subject, NOW - DAY, NOW + 3650 * DAY, &f->ca, e));
	assert_ok(issuer_new(&f->ca, f->key, &f->issuer, e));
	assert_ok(certificate_to_pem(&f->ca, &pem, e));
	f->ca_file = write_file(f->folder, "ca.crt", &pem);
	blob_free(&pem);
}

static void tear_down(struct fixture *f)
{
	issuer_free(f->issuer);
	key_free(f->key);
	blob_free(&f->ca);
	free(f->ca_file);
	remove_folder(f->folder);
	now = NOW;
}

static struct crl_order order_of(const struct crl_entry *entries, size_t count)
{
	return (struct crl_order){
		.number = 1,
		.this_update = NOW,
		.next_update = NOW + 7 * DAY,
		.entry = entries,
		.count = count,
	};
}

static struct blob must_sign(const struct fixture *f, const struct crl_order *order)
{
	struct blob crl = {NULL, 0};

	assert_ok(crl_sign(f->issuer, order, &crl, e));
	return crl;
}

/* The text of openssl, after it and certtool have verified the signature. */
static char *show(const struct fixture *f, const struct blob *crl)
{
	struct blob pem = {NULL, 0};
	char *text = NULL;

	assert_ok(crl_to_pem(crl, &pem, e));
	if (TOOL(&pem, &text, "faketime", "-f", "@2023-11-15 00:00:00", "certtool", "--verify-crl",
		    "--load-ca-certificate", f->ca_file) != 0)
		fail_msg("certtool: %s", text);
	assert_has(text, "Verified.");
	free(text);
	if (TOOL(&pem, &text, "openssl", "crl", "-noout", "-text", "-verify", "-CAfile", f->ca_file,
		    "-nameopt", "RFC2253") != 0)
		fail_msg("openssl: %s", text);
	assert_has(text, "verify OK");
	blob_free(&pem);
	return text;
}

static void says_what_is_revoked_and_why(void **state)
{
	static const struct {
		enum revocation_reason reason;
		const char *shown;
	} rows[] = {
		{REVOKED_KEY_COMPROMISE, "Key Compromise"},
		{REVOKED_CA_COMPROMISE, "CA Compromise"},
		{REVOKED_AFFILIATION_CHANGED, "Affiliation Changed"},
		{REVOKED_SUPERSEDED, "Superseded"},
		{REVOKED_CESSATION_OF_OPERATION, "Cessation Of Operation"},
		{REVOKED_PRIVILEGE_WITHDRAWN, "Privilege Withdrawn"},
		{REVOKED_AA_COMPROMISE, "AA Compromise"},
	};
	struct crl_entry entry = {.serial = HIGH_SERIAL, .revoked_at = NOW - 60};
	struct crl_order order = order_of(&entry, 1);
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct blob crl;
		char *text, *shown;

		entry.reason = rows[i].reason;
		crl = must_sign(&f, &order);
		text = show(&f, &crl);
		shown = strstr(text, "Revoked Certificates:");
		assert_non_null(shown);
		assert_has(shown, "Serial Number: FF00112233445566778899AABBCCDDEEFF001122\n"
				  "        Revocation Date: Nov 14 22:12:20 2023 GMT\n"
				  "        CRL entry extensions:\n"
				  "            X509v3 CRL Reason Code: \n");
		assert_has(shown, rows[i].shown);
		free(text);
		blob_free(&crl);
	}
	tear_down(&f);
}

/* The authority key id is the CA's own. */
static void assert_points_at_ca(const struct fixture *f, const char *shown)
{
	static const char heading[] = "Subject Key Identifier: \n";
	const char *authority = strstr(shown, "Authority Key Identifier");
	char *ca = NULL, id[128] = "";

	assert_int_equal(TOOL(&f->ca, &ca, "openssl", "x509", "-inform", "DER", "-noout", "-ext",
				 "subjectKeyIdentifier"),
		0);
	assert_has(ca, heading);
	assert_non_null(authority);
	snprintf(id, sizeof(id), "%.127s", strstr(ca, heading) + strlen(heading));
	id[strcspn(id, "\n")] = '\0';
	assert_has(authority, id);
	free(ca);
}

static void has_what_a_list_needs(void **state)
{
	static const struct {
		enum key_type type;
		const char *algorithm;
	} rows[] = {
		{KEY_RSA_2048, "Signature Algorithm: sha256WithRSAEncryption"},
		{KEY_EC_P256, "Signature Algorithm: ecdsa-with-SHA256"},
		{KEY_EC_P384, "Signature Algorithm: ecdsa-with-SHA384"},
	};
	const struct crl_entry entry = {.serial = "0a", .revoked_at = NOW};
	struct crl_order order = order_of(&entry, 1);

	(void)state;
	order.number = 200;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct blob crl;
		struct fixture f;
		char *text;

		set_up(&f, rows[i].type);
		crl = must_sign(&f, &order);
		text = show(&f, &crl);
		assert_has(text, "Version 2 (0x1)");
		assert_has(text, rows[i].algorithm);
		assert_has(text, "Issuer: CN=Test CA,O=Acme\n");
		assert_has(text, "Last Update: Nov 14 22:13:20 2023 GMT\n"
				 "        Next Update: Nov 21 22:13:20 2023 GMT\n");
		assert_has(text, "X509v3 CRL Number: \n                200\n");
		assert_has(text, "Serial Number: 0A\n");
		assert_has_not(text, "Reason Code"); /* unspecified is left out */
		assert_has_not(text, "critical");
		assert_points_at_ca(&f, text);
		free(text);
		blob_free(&crl);
		tear_down(&f);
	}
}

static void may_be_empty(void **state)
{
	struct crl_order order = order_of(NULL, 0);
	struct fixture f;
	struct blob crl;
	char *text;

	(void)state;
	set_up(&f, KEY_EC_P256);
	crl = must_sign(&f, &order);
	text = show(&f, &crl);
	assert_has(text, "No Revoked Certificates.");
	free(text);
	assert_int_equal(TOOL(&crl, &text, "certtool", "--crl-info", "--inder"), 0);
	assert_has(text, "Version: 2");
	assert_has(text, "CRL Number (not critical): 01");
	assert_has(text, "No revoked certificates.");
	free(text);
	blob_free(&crl);
	tear_down(&f);
}

/* RFC 5280, 5.1.2.4: UTCTime until 2049, then GeneralizedTime. */
static void writes_times_as_their_year_asks(void **state)
{
	const struct crl_entry entry = {.serial = "0a", .revoked_at = NOW};
	struct crl_order order = order_of(&entry, 1);
	struct fixture f;
	struct blob crl;
	char *text;

	(void)state;
	set_up(&f, KEY_EC_P256);
	order.this_update = 2524607999; /* 2049-12-31T23:59:59Z */
	order.next_update = 2524608000;
	crl = must_sign(&f, &order);
	assert_int_equal(TOOL(&crl, &text, "openssl", "asn1parse", "-inform", "DER"), 0);
	assert_has(text, "UTCTIME           :491231235959Z");
	assert_has(text, "GENERALIZEDTIME   :20500101000000Z");
	free(text);
	blob_free(&crl);
	tear_down(&f);
}

static void knows_a_list_of_this_issuer(void **state)
{
	const struct crl_order order = order_of(NULL, 0);
	unsigned char nonsense[] = "no list";
	const struct blob none = {nonsense, sizeof(nonsense) - 1};
	struct fixture f, other;
	int64_t next_update = 0;
	struct blob crl;

	(void)state;
	set_up(&f, KEY_EC_P256);
	set_up(&other, KEY_EC_P256);
	crl = must_sign(&f, &order);
	assert_ok(crl_verify(&crl, &f.ca, &next_update, e));
	assert_int_equal(next_update, NOW + 7 * DAY);
	assert_err(crl_verify(&crl, &other.ca, &next_update, e), ERR_REFUSED, "not signed by our");
	assert_err(crl_verify(&none, &f.ca, &next_update, e), ERR_REFUSED, "not a revocation list");
	crl.data[crl.len - 1] ^= 1; /* in the signature; it has expired, too */
	assert_err(crl_verify(&crl, &f.ca, &next_update, e), ERR_REFUSED, "not signed by our");
	blob_free(&crl);
	tear_down(&other);
	tear_down(&f);
}

/* CPU seconds for a list with that many entries. */
static double seconds_for(struct fixture *f, struct crl_entry *entries, size_t count)
{
	struct crl_order order = order_of(entries, count);
	clock_t started = clock();
	struct blob crl = must_sign(f, &order);

	blob_free(&crl);
	return (double)(clock() - started) / CLOCKS_PER_SEC;
}

static void takes_very_many_entries(void **state)
{
	enum { MANY = 50000 };
	struct crl_entry *entries = calloc(MANY, sizeof(*entries));
	struct crl_order order = order_of(entries, MANY);
	double tenth;
	struct fixture f;
	struct blob crl;
	char *text = NULL, last[64];

	(void)state;
	assert_non_null(entries);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(entries[i].serial, sizeof(entries[i].serial), "%040x", 0xa0000000 + i);
		memcpy(entries[i].serial, "7f", 2);
		entries[i].revoked_at = NOW;
		entries[i].reason = REVOKED_KEY_COMPROMISE;
	}
	set_up(&f, KEY_EC_P256);
	tenth = seconds_for(&f, entries, MANY / 10);
	assert_true(seconds_for(&f, entries, MANY) < 40 * tenth + 0.5); /* a square would be 100 */
	crl = must_sign(&f, &order);
	assert_int_equal(TOOL(&crl, &text, "sh", "-c",
				 "openssl crl -inform DER -noout -text -verify -CAfile \"$1\" |"
				 " sed -n 's/ *Serial Number: //p' | sort -u | sed -n '$p;$='",
				 "sh", f.ca_file),
		0);
	snprintf(last, sizeof(last), "7F%038X\n%d\n", 0xa0000000 + MANY - 1, MANY);
	assert_has(text, last);
	assert_has(text, "verify OK");
	free(text);
	free(entries);
	blob_free(&crl);
	tear_down(&f);
}

/* A leaf and its list, as a mail program checks them. */
static void openssl_refuses_a_revoked_certificate(void **state)
{
	struct name subject = new_name("CN=Alice");
	struct crl_entry entry = {.revoked_at = NOW, .reason = REVOKED_SUPERSEDED};
	struct crl_order order = order_of(&entry, 1), empty = order_of(NULL, 0);
	const struct crl_order *orders[] = {&empty, &order};
	struct blob public_key = {NULL, 0}, leaf = {NULL, 0}, pem = {NULL, 0};
	struct certificate_info info;
	struct leaf_order leaf_order = {.usage = USAGE_SIGNING,
		.subject = &subject,
		.public_key = &public_key,
		.not_before = NOW - 60,
		.not_after = NOW + 30 * DAY};
	struct address address;
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256);
	public_key = public_of(f.key);
	assert_ok(address_parse("alice@example.com", &address, e));
	leaf_order.address = &address;
	assert_ok(issue_leaf(f.issuer, &leaf_order, &leaf, e));
	assert_ok(certificate_info(&leaf, &info, e));
	memcpy(entry.serial, info.serial, sizeof(entry.serial));
	assert_ok(certificate_to_pem(&leaf, &pem, e));
	for (int i = 0; i < 2; i++) {
		struct blob crl = must_sign(&f, orders[i]), crl_pem = {NULL, 0};
		char *text = NULL, *crl_file;

		assert_ok(crl_to_pem(&crl, &crl_pem, e));
		crl_file = write_file(f.folder, "crl.pem", &crl_pem);
		assert_int_equal(TOOL(&pem, &text, "openssl", "verify", "-crl_check", "-attime",
					 "1700000100", "-CRLfile", crl_file, "-CAfile", f.ca_file),
			i ? 2 : 0);
		assert_has(text, i ? "certificate revoked" : "stdin: OK");
		free(text);
		free(crl_file);
		blob_free(&crl);
		blob_free(&crl_pem);
	}
	blob_free(&public_key);
	blob_free(&leaf);
	blob_free(&pem);
	tear_down(&f);
}

static void refuses_an_issuer_that_may_not(void **state)
{
	static const char template[] =
		"cn = Other CA\nca\ncert_signing_key\nexpiration_days = 30\n";
	const struct blob content = {(unsigned char *)(uintptr_t) template, sizeof(template) - 1};
	struct crl_order order = order_of(NULL, 0);
	struct blob key_pem = {NULL, 0}, pem = {NULL, 0}, crl = {NULL, 0};
	struct chain chain = {0};
	struct issuer *other = NULL;
	char *text = NULL, *path, *key_path;
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256);
	now = NOW + 4000 * DAY;
	assert_err(crl_sign(f.issuer, &order, &crl, e), ERR_CONFIG, "expired");
	clock_replace(NULL);
	assert_ok(key_export_pem(f.key, &key_pem, e));
	path = write_file(f.folder, "template", &content);
	key_path = write_file(f.folder, "key", &key_pem);
	assert_int_equal(TOOL(NULL, &text, "sh", "-c",
				 "certtool --generate-self-signed --template \"$1\""
				 " --load-privkey \"$2\" 2>/dev/null",
				 "sh", path, key_path),
		0);
	pem = (struct blob){(unsigned char *)text, strlen(text)};
	assert_ok(chain_from_pem(&pem, &chain, e));
	assert_ok(issuer_new(&chain.certificate[0], f.key, &other, e));
	assert_err(crl_sign(other, &order, &crl, e), ERR_CONFIG, "revocation lists (keyUsage)");
	clock_replace(test_clock);
	assert_null(crl.data);
	issuer_free(other);
	chain_free(&chain);
	blob_free(&key_pem);
	free(text);
	free(path);
	free(key_path);
	tear_down(&f);
}

static void refuses_what_it_cannot_write(void **state)
{
	static const char *const serials[] = {"", "0", "xy", "0a0"};
	struct crl_entry entry = {.revoked_at = NOW};
	struct crl_order order = order_of(&entry, 1);
	struct blob crl = {NULL, 0};
	struct fixture f;

	(void)state;
	set_up(&f, KEY_EC_P256);
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		snprintf(entry.serial, sizeof(entry.serial), "%s", serials[i]);
		assert_err(crl_sign(f.issuer, &order, &crl, e), ERR_INTERNAL, "serial number");
	}
	snprintf(entry.serial, sizeof(entry.serial), "0a");
	entry.revoked_at = -3000000000;
	assert_err(crl_sign(f.issuer, &order, &crl, e), ERR_INTERNAL, "time");
	assert_null(crl.data);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_revoked_and_why),
		cmocka_unit_test(has_what_a_list_needs),
		cmocka_unit_test(may_be_empty),
		cmocka_unit_test(writes_times_as_their_year_asks),
		cmocka_unit_test(knows_a_list_of_this_issuer),
		cmocka_unit_test(takes_very_many_entries),
		cmocka_unit_test(openssl_refuses_a_revoked_certificate),
		cmocka_unit_test(refuses_an_issuer_that_may_not),
		cmocka_unit_test(refuses_what_it_cannot_write),
	};

	clock_replace(test_clock);
	return cmocka_run_group_tests_name("crl", tests, NULL, NULL);
}

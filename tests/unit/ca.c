/* The local CA: first set-up, opening, issuing, and what its answers must pass. */

#include "ca/ca.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "ca/local.h"
#include "pki/issue.h"
#include "pki_tools.h"

#define NOW 1700000000LL /* 2023-11-14T22:13:20Z */
#define SUBJECT "CN=Test CA,O=Acme"

static int64_t now = NOW;

static int64_t test_clock(void)
{
	return now;
}

struct fixture {
	char *folder;
	struct config config;
	unsigned lines[128];
	struct ca *ca;
	struct key *key;
	struct name subject;
	struct address address;
	struct ca_order order;
};

static char *path_in(const struct fixture *f, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", f->folder, name) > 0);
	return path;
}

static void set_up(struct fixture *f)
{
	*f = (struct fixture){.folder = new_folder()};
	f->config.path = path_in(f, "certprov.conf");
	f->config.lines = f->lines;
	f->config.ca.certificate = path_in(f, "ca.crt");
	f->config.ca.key = path_in(f, "ca.key");
	f->config.certificates.validity = 365 * DAY;
	f->key = new_key(KEY_EC_P256);
	f->subject = new_name("CN=Alice");
	assert_ok(address_parse("alice@example.com", &f->address, e));
	f->order = (struct ca_order){
		.usage = USAGE_SIGNING,
		.subject = &f->subject,
		.address = &f->address,
		.key = f->key,
		.now = NOW,
	};
}

static void set_up_open(struct fixture *f)
{
	set_up(f);
	assert_ok(ca_local_init(&f->config.ca, SUBJECT, KEY_EC_P256, e));
	assert_ok(ca_open(&f->config, &f->config.ca, &f->ca, e));
}

static void tear_down(struct fixture *f)
{
	ca_close(f->ca);
	key_free(f->key);
	free(f->config.path);
	free(f->config.ca.certificate);
	free(f->config.ca.key);
	remove_folder(f->folder);
	now = NOW;
}

static unsigned mode_of(const char *path)
{
	struct stat st = {.st_mode = 0};

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void init_makes_key_and_certificate(void **state)
{
	struct fixture f;
	char *said = NULL;

	(void)state;
	set_up(&f);
	umask(022);
	assert_ok(ca_local_init(&f.config.ca, SUBJECT, KEY_RSA_3072, e));
	assert_int_equal(mode_of(f.config.ca.key), 0600);
	assert_int_equal(mode_of(f.config.ca.certificate), 0644);
	assert_int_equal(
		TOOL(NULL, &said, "openssl", "pkey", "-in", f.config.ca.key, "-noout", "-check"),
		0);
	free(said);
	assert_int_equal(TOOL(NULL, &said, "openssl", "x509", "-in", f.config.ca.certificate,
				 "-noout", "-subject", "-dates", "-nameopt", "RFC2253"),
		0);
	assert_string_equal(said, "subject=" SUBJECT "\nnotBefore=Nov 14 21:13:20 2023 GMT\n"
				  "notAfter=Nov 13 21:13:19 2033 GMT\n");
	free(said);
	tear_down(&f);
}

static void init_never_overwrites(void **state)
{
	struct blob other = {(unsigned char *)(uintptr_t) "mine", 4};
	char *paths[2], *said = NULL;
	struct fixture f;

	(void)state;
	set_up(&f);
	paths[0] = f.config.ca.key;
	paths[1] = f.config.ca.certificate;
	for (int i = 0; i < 2; i++) {
		char *name = strrchr(paths[i], '/') + 1;

		free(write_file(f.folder, name, &other));
		assert_err(ca_local_init(&f.config.ca, SUBJECT, KEY_EC_P256, e), ERR_CONFIG, name);
		assert_int_equal(TOOL(NULL, &said, "cat", paths[i]), 0);
		assert_string_equal(said, "mine");
		free(said);
		assert_int_not_equal(access(paths[1 - i], F_OK), 0);
		assert_int_equal(unlink(paths[i]), 0);
	}
	tear_down(&f);
}

/* A key left without its certificate would block the next try. */
static void init_leaves_nothing_half_done(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	free(f.config.ca.certificate);
	f.config.ca.certificate = path_in(&f, "missing/ca.crt");
	assert_err(
		ca_local_init(&f.config.ca, SUBJECT, KEY_EC_P256, e), ERR_CONFIG, "missing/ca.crt");
	assert_int_not_equal(access(f.config.ca.key, F_OK), 0);
	assert_err(ca_local_init(&f.config.ca, "Test CA", KEY_EC_P256, e), ERR_CONFIG,
		"distinguished name");
	tear_down(&f);
}

static void issues_for_both_usages(void **state)
{
	static const struct {
		enum usage usage;
		const char *purpose;
	} rows[] = {{USAGE_SIGNING, "smimesign"}, {USAGE_ENCRYPTION, "smimeencrypt"}};
	struct fixture f;

	(void)state;
	set_up_open(&f);
	key_free(f.key);
	f.order.key = f.key = new_key(KEY_RSA_2048);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct certificate_info info = {.not_before = 0};
		struct ca_answer answer = {.handle = ""};
		struct blob pem = {NULL, 0};
		struct chain own = {0};
		char *said = NULL;

		f.order.usage = rows[i].usage;
		assert_ok(ca_issue(f.ca, &f.order, &answer, e));
		assert_int_equal(answer.chain.count, 2);
		assert_ok(ca_chain(f.ca, 0, &own, e));
		assert_true(blob_equal(&answer.chain.certificate[1], &own.certificate[0]));
		assert_ok(certificate_info(&answer.chain.certificate[0], &info, e));
		assert_int_equal(info.not_before, NOW - 300);
		assert_int_equal(info.not_after - info.not_before + 1, 365 * DAY);
		assert_string_equal(info.issuer, SUBJECT);
		assert_ok(certificate_to_pem(&answer.chain.certificate[0], &pem, e));
		if (TOOL(&pem, &said, "openssl", "verify", "-x509_strict", "-attime", "1700000000",
			    "-CAfile", f.config.ca.certificate, "-purpose", rows[i].purpose) != 0)
			fail_msg("%s", said);
		free(said);
		blob_free(&pem);
		chain_free(&own);
		chain_free(&answer.chain);
	}
	tear_down(&f);
}

static void puts_what_is_configured_into_leaves(void **state)
{
	static char url[] = "http://pki.example.com/ca.crl", policy[] = "1.3.6.1.4.1.99999.7";
	static char *policies[] = {policy, NULL};
	struct ca_answer answer = {.handle = ""};
	struct fixture f;
	char *said;

	(void)state;
	set_up(&f);
	f.config.ca.crl_url = url;
	f.config.certificates.policies = policies;
	assert_ok(ca_local_init(&f.config.ca, SUBJECT, KEY_EC_P256, e));
	assert_ok(ca_open(&f.config, &f.config.ca, &f.ca, e));
	assert_ok(ca_issue(f.ca, &f.order, &answer, e));
	said = show_certificate(&answer.chain.certificate[0]);
	assert_has(said, url);
	assert_has(said, policy);
	free(said);
	chain_free(&answer.chain);
	tear_down(&f);
}

/* A certificate that certificate_check() refuses is never returned. */
static void what_fails_the_check_stays_inside(void **state)
{
	struct ca_answer answer = {.chain.count = 7};
	struct fixture f;

	(void)state;
	set_up_open(&f);
	f.order.now = NOW + 4000 * DAY; /* the CA's certificate has expired by then */
	assert_err(ca_issue(f.ca, &f.order, &answer, e), ERR_INTERNAL, "ends before it begins");
	f.order.now = NOW + 3651 * DAY + 23 * 3600 + 100;
	assert_err(ca_issue(f.ca, &f.order, &answer, e), ERR_REFUSED, "has expired");
	assert_int_equal(answer.chain.count, 7);
	tear_down(&f);
}

static void says_when_the_ca_is_over(void **state)
{
	struct ca_answer answer = {.handle = ""};
	struct ca *ca = NULL;
	struct fixture f;

	(void)state;
	set_up_open(&f);
	now = f.order.now = NOW + 3653 * DAY;
	assert_err(ca_issue(f.ca, &f.order, &answer, e), ERR_CONFIG, "has expired");
	assert_ok(ca_open(&f.config, &f.config.ca, &ca, e)); /* for those who have certificates */
	assert_err(ca_issue(ca, &f.order, &answer, e), ERR_CONFIG, "to 2033-11-13T21:13:19Z");
	now = f.order.now = NOW - 2 * DAY;
	assert_err(ca_issue(ca, &f.order, &answer, e), ERR_CONFIG, "is not valid yet");
	ca_close(ca);
	tear_down(&f);
}

static void refuses_unfit_files(void **state)
{
	struct ca *ca = NULL;
	struct fixture f;
	struct blob text = {(unsigned char *)(uintptr_t) "hello", 5};

	(void)state;
	set_up_open(&f);
	assert_int_equal(chmod(f.config.ca.key, 0644), 0);
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, f.config.ca.key);
	assert_int_equal(unlink(f.config.ca.key), 0);
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, f.config.ca.key);
	free(write_file(f.folder, "ca.key", &text));
	assert_int_equal(chmod(f.config.ca.key, 0600), 0);
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, "ca.key: no private key");
	free(write_file(f.folder, "ca.crt", &text));
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, "ca.crt: no certificate");
	assert_int_equal(unlink(f.config.ca.certificate), 0);
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, f.config.ca.certificate);
	assert_null(ca);
	tear_down(&f);
}

static void refuses_a_key_of_another_ca(void **state)
{
	struct ca *ca = NULL;
	struct fixture f;

	(void)state;
	set_up_open(&f);
	assert_int_equal(unlink(f.config.ca.certificate), 0);
	free(f.config.ca.key);
	f.config.ca.key = path_in(&f, "other.key");
	assert_ok(ca_local_init(&f.config.ca, SUBJECT, KEY_EC_P256, e));
	free(f.config.ca.key);
	f.config.ca.key = path_in(&f, "ca.key");
	assert_err(ca_open(&f.config, &f.config.ca, &ca, e), ERR_CONFIG, "for another key");
	tear_down(&f);
}

/* The company's root signs our CA with openssl; users get the whole chain. */
static void works_below_another_root(void **state)
{
	static const char script[] =
		"set -e; cd \"$1\"\n"
		"new() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256; }\n"
		"umask 077; new >root.key; new >ca.key\n"
		"openssl req -new -x509 -key root.key -subj /CN=Root -days 30 -out root.crt\n"
		"openssl req -new -key ca.key -subj '/CN=Ours' -out ca.csr\n"
		"printf '%s\\n' basicConstraints=critical,CA:TRUE,pathlen:0 "
		"keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash >ext\n"
		"openssl x509 -req -in ca.csr -CA root.crt -CAkey root.key -days 29 -extfile ext "
		"-out sub.crt\n"
		"cat sub.crt root.crt >ca.crt\n";
	struct blob pem = {NULL, 0};
	struct ca_answer answer = {.handle = ""};
	struct fixture f;
	char *said = NULL, *root, *sub;

	(void)state;
	set_up(&f);
	if (TOOL(NULL, &said, "sh", "-c", script, "sh", f.folder) != 0)
		fail_msg("%s", said);
	free(said);
	clock_replace(NULL);
	f.order.now = clock_now();
	assert_ok(ca_open(&f.config, &f.config.ca, &f.ca, e));
	assert_ok(ca_issue(f.ca, &f.order, &answer, e));
	clock_replace(test_clock);
	assert_int_equal(answer.chain.count, 3);
	root = path_in(&f, "root.crt");
	sub = path_in(&f, "sub.crt");
	assert_ok(certificate_to_pem(&answer.chain.certificate[0], &pem, e));
	if (TOOL(&pem, &said, "openssl", "verify", "-CAfile", root, "-untrusted", sub, "-purpose",
		    "smimesign") != 0)
		fail_msg("%s", said);
	free(said);
	free(root);
	free(sub);
	blob_free(&pem);
	chain_free(&answer.chain);
	tear_down(&f);
}

static void revokes_only_its_own(void **state)
{
	struct ca_revocation revocation = {.serial = "0a", .issuer = SUBJECT};
	const struct crl_entry entry = {.serial = "0a", .revoked_at = NOW};
	const struct crl_order order = {
		.number = 7,
		.this_update = NOW,
		.next_update = NOW + DAY,
		.entry = &entry,
		.count = 1,
	};
	struct blob crl = {NULL, 0};
	struct fixture f;
	char *said = NULL;

	(void)state;
	set_up_open(&f);
	assert_ok(ca_revoke(f.ca, &revocation, e));
	revocation.issuer = "CN=Test CA,O=Other";
	assert_err(ca_revoke(f.ca, &revocation, e), ERR_REFUSED, "CN=Test CA,O=Other");
	assert_true(ca_has_crl(f.ca));
	assert_ok(ca_crl(f.ca, &order, &crl, e));
	assert_int_equal(TOOL(&crl, &said, "openssl", "crl", "-inform", "DER", "-noout",
				 "-crlnumber", "-verify", "-CAfile", f.config.ca.certificate),
		0);
	assert_has(said, "verify OK");
	assert_has(said, "crlNumber=0x07");
	free(said);
	blob_free(&crl);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_makes_key_and_certificate),
		cmocka_unit_test(init_never_overwrites),
		cmocka_unit_test(init_leaves_nothing_half_done),
		cmocka_unit_test(issues_for_both_usages),
		cmocka_unit_test(puts_what_is_configured_into_leaves),
		cmocka_unit_test(what_fails_the_check_stays_inside),
		cmocka_unit_test(says_when_the_ca_is_over),
		cmocka_unit_test(refuses_unfit_files),
		cmocka_unit_test(refuses_a_key_of_another_ca),
		cmocka_unit_test(works_below_another_root),
		cmocka_unit_test(revokes_only_its_own),
	};

	clock_replace(test_clock);
	return cmocka_run_group_tests_name("ca", tests, NULL, NULL);
}

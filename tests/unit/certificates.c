/* Certificates in the forms that CAs, their programs and their files have. */

#include "chain_recipes.h"
#include "pki/certificate.h"
#include "pki/chain_build.h"

#include <gnutls/pkcs7.h>

#define TEXT_MAX 65536

static struct certificates got;

/* --- one form made of another */

/* In lines of that width, each with end behind it; 0: one line and no end. */
static struct buf base64(const void *data, size_t len, size_t width, const char *end)
{
	struct buf text = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);

	buf_base64(&text, data, len);
	for (size_t at = 0; width && at < text.len; at += width) {
		buf_append(&out, text.data + at, text.len - at < width ? text.len - at : width);
		buf_puts(&out, end);
	}
	if (!width)
		buf_append(&out, text.data, text.len);
	buf_free(&text);
	return out;
}

static struct buf pem(const char *label, const struct blob *der, const char *end)
{
	struct buf lines = base64(der->data, der->len, 64, end), out = BUF_INIT(TEXT_MAX);

	buf_printf(&out, "-----BEGIN %s-----%s%s-----END %s-----%s", label, end, lines.data, label,
		end);
	buf_free(&lines);
	return out;
}

/* The fixture's certificates, last first. */
static struct blob pkcs7(void)
{
	gnutls_pkcs7_t message = NULL;
	gnutls_datum_t out = {NULL, 0};
	struct blob der = {NULL, 0};

	assert_gnutls(gnutls_pkcs7_init(&message));
	for (size_t i = 3; i-- > 0;) {
		const gnutls_datum_t one = {fixture.chain.certificate[i].data,
			(unsigned)fixture.chain.certificate[i].len};

		assert_gnutls(gnutls_pkcs7_set_crt_raw(message, &one));
	}
	assert_gnutls(gnutls_pkcs7_export2(message, GNUTLS_X509_FMT_DER, &out));
	assert_ok(blob_copy(out.data, out.size, &der, e));
	gnutls_free(out.data);
	gnutls_pkcs7_deinit(message);
	return der;
}

/* --- judges; each frees what it is given */

static void assert_read(const char *what, struct buf *form, size_t count)
{
	/* An exact copy, so that sanitizers see a read beyond it. */
	struct blob exact = {NULL, 0};
	struct chain built = {0};
	struct error error = {.code = ERR_OK};

	assert_false(form->failed);
	assert_ok(blob_copy(form->data, form->len, &exact, e));
	if (certificates_add(&got, exact.data, exact.len, &error))
		fail_msg("%s: %s", what, error.text);
	assert_int_equal(got.count, count);
	assert_ok(chain_build(&got, &fixture.public_key, &built, e));
	assert_int_equal(built.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(blob_equal(&built.certificate[i], &fixture.chain.certificate[i]));
	chain_free(&built);
	certificates_free(&got);
	blob_free(&exact);
	buf_free(form);
}

/* As it is; as base64 in one line, in lines, without padding, for URLs; and all that twice. */
static void assert_read_in_base64(const char *what, const struct buf *form, size_t count)
{
	static const struct {
		size_t width;
		const char *end;
	} lines[] = {{0, ""}, {64, "\n"}, {76, "\r\n"}, {64, "\\n"}, {4, " \t"}};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct buf once = base64(form->data, form->len, lines[i].width, lines[i].end);
		struct buf twice = base64(once.data, once.len, lines[i].width, lines[i].end);

		assert_read(what, &twice, count);
		assert_read(what, &once, count);
	}
	for (size_t cut = 0; cut < 3; cut++) { /* of each length, so with each padding */
		struct buf longer = BUF_INIT(TEXT_MAX), bare;

		buf_append(&longer, form->data, form->len);
		for (size_t i = 0; i < cut; i++)
			buf_putc(&longer, '\n');
		bare = base64(longer.data, longer.len, 0, "");
		buf_truncate(&bare, strcspn(bare.data, "="));
		for (size_t i = 0; i < bare.len; i++)
			bare.data[i] = (char)(bare.data[i] == '+'   ? '-'
					      : bare.data[i] == '/' ? '_'
								    : bare.data[i]);
		assert_read(what, &bare, count);
		buf_free(&longer);
	}
}

static void assert_read_all(const char *what, struct buf *form, size_t count)
{
	assert_read_in_base64(what, form, count);
	assert_read(what, form, count);
}

/* --- */

static void der_of_one_and_of_several(void **state)
{
	struct fixture *f = *state;
	struct buf one = BUF_INIT(TEXT_MAX), all = BUF_INIT(TEXT_MAX), line = BUF_INIT(TEXT_MAX);

	buf_append(&one, f->chain.certificate[0].data, f->chain.certificate[0].len);
	for (size_t i = 0; i < 3; i++)
		buf_append(&all, f->chain.certificate[i].data, f->chain.certificate[i].len);
	buf_append(&line, one.data, one.len);
	buf_puts(&line, "\r\n");
	assert_read_all("DER", &one, 1);
	assert_read_all("DER, three", &all, 3);
	assert_read("DER and a line break", &line, 1);
}

static void pkcs7_in_every_wrapping(void **state)
{
	static const char *const labels[] = {
		"PKCS7", "PKCS #7 SIGNED DATA", "CMS", "CERTIFICATE", "CERTIFICATE CHAIN"};
	struct blob message = pkcs7();
	struct buf der = BUF_INIT(TEXT_MAX);

	(void)state;
	buf_append(&der, message.data, message.len);
	assert_read_all("PKCS#7", &der, 3);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		struct buf text = pem(labels[i], &message, "\n");

		assert_read_all(labels[i], &text, 3);
	}
	blob_free(&message);
}

static void pem_as_programs_print_it(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", "\r", "\\n", " ", ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct buf text = BUF_INIT(TEXT_MAX), last;

		buf_puts(&text, "\xef\xbb\xbf\r\n  Bag Attributes\n    localKeyID: 01 -- \n"
				"subject=CN = whoever\n-----BEGIN CERTIFICATE REQUEST-----\nAA==\n"
				"-----END CERTIFICATE REQUEST-----\n");
		for (size_t j = 3; j-- > 1;) {
			struct buf one = pem(j == 1 ? "X509 CERTIFICATE" : "CERTIFICATE",
				&f->chain.certificate[j], ends[i]);

			buf_printf(&text, "issuer=M\xc3\xbcller\n%s", one.data);
			buf_free(&one);
		}
		last = pem("CERTIFICATE", &f->chain.certificate[0], ends[i]);
		buf_append(&text, last.data, last.len - strlen(ends[i]));
		buf_free(&last);
		assert_read_all("PEM", &text, 3);
	}
}

static void openssl_is_understood(void **state)
{
	static const char *const trust[] = {"-trustout", "-text"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(trust); i++) {
		struct buf form = BUF_INIT(TEXT_MAX);
		char *text = NULL;

		assert_int_equal(TOOL(&f->chain.certificate[0], &text, "openssl", "x509", "-inform",
					 "DER", trust[i], "-addtrust", "emailProtection"),
			0);
		buf_puts(&form, text);
		free(text);
		assert_read(trust[i], &form, 1);
	}
}

static void files_in_every_form(void **state)
{
	struct fixture *f = *state;
	char *folder = new_folder(), *path = NULL;
	struct blob text = {NULL, 0};

	assert_ok(certificate_to_pem(&f->chain.certificate[1], &text, e));
	for (int i = 0; i < 2; i++) {
		path = write_file(folder, "issuers.pem", i ? &text : &f->chain.certificate[1]);
		assert_ok(certificates_add_file(&got, path, e));
		assert_int_equal(got.count, 1);
		assert_true(blob_equal(&got.certificate[0], &f->chain.certificate[1]));
		certificates_free(&got);
		free(path);
	}
	text.data[30] = '!';
	path = write_file(folder, "issuers.pem", &text);
	assert_err(certificates_add_file(&got, path, e), ERR_CONFIG,
		"issuers.pem: no certificate in DER, PEM or base64 that can be read");
	unlink(path);
	assert_err(certificates_add_file(&got, path, e), ERR_CONFIG, "issuers.pem: No such file");
	blob_free(&text);
	free(path);
	remove_folder(folder);
}

static void refuse(const void *bytes, size_t len, const char *words)
{
	assert_err(certificates_add(&got, bytes, len, e), ERR_REFUSED, words);
	certificates_free(&got);
}

static void rubbish_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} all[] = {
		{"", "it is empty"},
		{"\xef\xbb\xbf \r\n", "it is empty"},
		{"<html>Service unavailable</html>", "no certificate in DER, PEM or base64"},
		{"{\"error\": \"x\"}", "no certificate in DER, PEM or base64"},
		{"SGVsbG8=", "no certificate in DER, PEM or base64"},
		{"MAA=", "cannot be read"},
		{"MA==", "no certificate in DER, PEM or base64"},
		{"MIA=", "cannot be read"},
		{"0\x80", "cannot be read"},
		{"0\x82\x01", "no certificate in DER, PEM or base64"},
		{"-----BEGIN CERTIFICATE-----", "without its end"},
		{"-----BEGIN CERTIFICATE-----\nMAA=\n", "without its end"},
		{"-----BEGIN CERTIFICATE-----END ", "that is empty"},
		{"MIIAAA==", "cannot be read"},
		{"MIEGCSqGSIb3", "cannot be read"},
		{"MAsGCSqGSIb3DQEHAg==", "no PKCS#7 message"},
		{"-----BEGIN CERTIFICATE-----\n-----END ", "no certificate in DER, PEM or base64"},
		{"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
			"no certificate in PEM"},
		{"U0dWc2JHOD0=", "no certificate in DER, PEM or base64"},
	};
	struct fixture *f = *state;
	const struct blob *leaf = &f->chain.certificate[0];
	struct buf form = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		refuse(all[i].text, strlen(all[i].text), all[i].words);
	for (size_t len = 0; len < leaf->len; len++)
		refuse(leaf->data, len, "");
	buf_append(&form, leaf->data, leaf->len);
	for (int i = 0; i < 5; i++) {
		struct buf next = base64(form.data, form.len, 0, "");

		buf_free(&form);
		form = next;
	}
	refuse(form.data, form.len, "base64 in base64");
	buf_free(&form);
}

static void too_many_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct blob *leaf = &f->chain.certificate[0];

	for (size_t i = 0; i < CERTIFICATES_MAX; i++)
		assert_ok(certificates_add_der(&got, leaf->data, leaf->len, e));
	assert_err(certificates_add_der(&got, leaf->data, leaf->len, e), ERR_REFUSED,
		"more than 32 certificates");
	refuse(leaf->data, leaf->len, "more than 32 certificates");
}

static int set_up_forms(void **state)
{
	set_up(state);
	make_chain(&fixture);
	return 0;
}

static int tear_down_forms(void **state)
{
	certificates_free(&got);
	return tear_down(state);
}

int main(void)
{
#define READ(test) cmocka_unit_test_setup_teardown(test, set_up_forms, tear_down_forms)
	const struct CMUnitTest tests[] = {
		READ(der_of_one_and_of_several),
		READ(pkcs7_in_every_wrapping),
		READ(pem_as_programs_print_it),
		READ(openssl_is_understood),
		READ(files_in_every_form),
		READ(rubbish_is_refused),
		READ(too_many_are_refused),
	};

	return cmocka_run_group_tests_name("certificates", tests, make_keys, free_keys);
}

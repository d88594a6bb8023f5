/* What certificates say, and chains of them for the store and in PEM. */

#include "pki/certificate.h"

#include "pki/issue.h"
#include "pki_tools.h"

#define TEN_YEARS (3652 * DAY)
#define NOW 1700000000LL

/* A self-signed certificate of any kind. */
static struct blob new_certificate(const char *dn)
{
	struct key *key = new_key(KEY_EC_P256);
	struct name name = new_name(dn);
	struct blob der = {NULL, 0};

	assert_ok(issue_root(key, &name, NOW, NOW + TEN_YEARS, &der, e));
	key_free(key);
	return der;
}

static struct chain new_chain(size_t count)
{
	struct chain chain = {.count = count};

	for (size_t i = 0; i < count; i++)
		chain.certificate[i] = new_certificate("CN=x");
	return chain;
}

static void assert_same(const struct chain *a, const struct chain *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_true(blob_equal(&a->certificate[i], &b->certificate[i]));
		assert_ptr_not_equal(a->certificate[i].data, b->certificate[i].data);
	}
}

static void copies(void **state)
{
	struct chain chain = new_chain(3), copy = {0};

	(void)state;
	assert_ok(chain_copy(&chain, &copy, e));
	assert_same(&chain, &copy);
	chain_free(&copy);
	assert_int_equal(copy.count, 0);
	chain_free(&chain);
}

static void joins_and_splits(void **state)
{
	(void)state;
	for (size_t count = 1; count <= CHAIN_MAX; count += 7) {
		struct chain chain = new_chain(count), again = {0};
		struct blob joined = {NULL, 0};

		assert_ok(chain_join(&chain, &joined, e));
		assert_ok(chain_split(&joined, &again, e));
		assert_same(&chain, &again);
		chain_free(&chain);
		chain_free(&again);
		blob_free(&joined);
	}
}

/* Short, one-octet and two-octet lengths, and invalid ones. */
static void splits_by_length(void **state)
{
	static const struct {
		unsigned char bytes[8];
		size_t len, count;
	} rows[] = {
		{{0}, 0, 0},
		{{0x30, 0x00}, 2, 1},
		{{0x30, 0x00, 0x30, 0x01, 0x00}, 5, 2},
		{{0x30, 0x81, 0x01, 0x00}, 4, 1},
		{{0x30, 0x82, 0x00, 0x01, 0x00}, 5, 1},
		{{0x30, 0x84, 0x00, 0x00, 0x00, 0x01, 0x00}, 7, 1},
		/* damaged: count 0 and a length */
		{{0x30}, 1, 0},
		{{0x31, 0x00}, 2, 0},
		{{0x30, 0x01}, 2, 0},
		{{0x30, 0x80, 0x00, 0x00}, 4, 0},
		{{0x30, 0x82, 0x01}, 3, 0},
		{{0x30, 0x82, 0xff, 0xff, 0x00}, 5, 0},
		{{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, 6, 0},
		{{0x30, 0x85, 0x00, 0x00, 0x00, 0x00, 0x00}, 7, 0},
		{{0x30, 0x00, 0x00}, 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char *copy = malloc(rows[i].len); /* exact, for the sanitizer */
		const struct blob joined = {copy, rows[i].len};
		struct chain chain = {0};

		if (rows[i].len)
			memcpy(copy, rows[i].bytes, rows[i].len);
		if (rows[i].count || !rows[i].len)
			assert_ok(chain_split(&joined, &chain, e));
		else
			assert_err(chain_split(&joined, &chain, e), ERR_INTERNAL, "damaged");
		assert_int_equal(chain.count, rows[i].count);
		chain_free(&chain);
		free(copy);
	}
}

static void reads_and_writes_pem(void **state)
{
	struct chain chain = new_chain(CHAIN_MAX), again = {0};
	struct buf text = BUF_INIT(1024 * 1024);
	struct blob pem = {NULL, 0};
	char *said = NULL;

	(void)state;
	buf_puts(&text, "What openssl writes around it\n");
	for (size_t i = 0; i < chain.count; i++) {
		assert_ok(certificate_to_pem(&chain.certificate[i], &pem, e));
		assert_int_equal(TOOL(&pem, &said, "openssl", "x509", "-noout"), 0);
		free(said);
		buf_append(&text, pem.data, pem.len);
		blob_free(&pem);
	}
	pem = (struct blob){(unsigned char *)text.data, text.len};
	assert_ok(chain_from_pem(&pem, &again, e));
	assert_same(&chain, &again);
	chain_free(&again);
	assert_ok(certificate_to_pem(&chain.certificate[0], &pem, e));
	buf_append(&text, pem.data, pem.len);
	blob_free(&pem);
	pem = (struct blob){(unsigned char *)text.data, text.len};
	assert_err(chain_from_pem(&pem, &again, e), ERR_CONFIG, "more than 8");
	assert_int_equal(again.count, 0);
	buf_free(&text);
	chain_free(&chain);
}

static void refuses_bad_pem(void **state)
{
	static const char bad[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	struct blob der = new_certificate("CN=x"), pem = {NULL, 0}, blob = {NULL, 0};
	struct buf text = BUF_INIT(1024 * 1024);
	struct chain chain = {0};

	(void)state;
	assert_ok(blob_copy("", 0, &blob, e));
	assert_err(chain_from_pem(&blob, &chain, e), ERR_CONFIG, "PEM");
	blob_free(&blob);
	assert_ok(blob_copy("hello", 5, &blob, e));
	assert_err(chain_from_pem(&blob, &chain, e), ERR_CONFIG, "PEM");
	blob_free(&blob);
	/* a damaged one after a good one is an error */
	assert_ok(certificate_to_pem(&der, &pem, e));
	buf_append(&text, pem.data, pem.len);
	buf_puts(&text, bad);
	buf_append(&text, pem.data, pem.len);
	blob = (struct blob){(unsigned char *)text.data, text.len};
	assert_err(chain_from_pem(&blob, &chain, e), ERR_CONFIG, "PEM");
	buf_free(&text);
	blob_free(&pem);
	blob_free(&der);
}

/* "sha1 Fingerprint=AB:CD" and "serial=AB" as openssl says them, to lower case without colons. */
static void assert_openssl_says(
	const struct blob *der, const char *option, const char *digest, const char *wanted)
{
	char *said = NULL, *from, *to;

	assert_int_equal(
		TOOL(der, &said, "openssl", "x509", "-inform", "DER", "-noout", option, digest), 0);
	from = strpbrk(said, "=\n") + 1; /* an extension is in a line of its own */
	from += strspn(from, " ");
	for (to = said; *from && *from != '\n'; from++)
		if (*from != ':')
			*to++ = (char)(*from >= 'A' && *from <= 'F' ? *from + 32 : *from);
	*to = '\0';
	assert_string_equal(said, wanted);
	free(said);
}

static void tells_what_is_in_it(void **state)
{
	struct blob der = new_certificate("CN=Jörg\\, der \\\"Chef\\\",O=Acme,C=DE");
	struct certificate_info info = {.not_before = 0};

	(void)state;
	assert_ok(certificate_info(&der, &info, e));
	assert_string_equal(info.subject, "CN=Jörg\\, der \\\"Chef\\\",O=Acme,C=DE");
	assert_string_equal(info.issuer, info.subject);
	assert_int_equal(info.not_before, NOW);
	assert_int_equal(info.not_after, NOW + TEN_YEARS);
	assert_openssl_says(&der, "-serial", "-sha256", info.serial);
	assert_openssl_says(&der, "-fingerprint", "-sha1", info.sha1);
	assert_openssl_says(&der, "-fingerprint", "-sha256", info.sha256);
	assert_openssl_says(&der, "-ext", "subjectKeyIdentifier", info.key_id);
	blob_free(&der);
}

static void cuts_long_names_at_a_character(void **state)
{
	struct buf dn = BUF_INIT(4096);
	struct certificate_info info = {.not_before = 0};
	struct blob der;
	size_t len;

	(void)state;
	buf_puts(&dn, "CN=x");
	for (int i = 0; i < 6; i++) {
		buf_puts(&dn, ",OU=");
		for (int j = 0; j < 30; j++)
			buf_puts(&dn, "😀");
	}
	der = new_certificate(dn.data);
	buf_free(&dn);
	assert_ok(certificate_info(&der, &info, e));
	len = strlen(info.subject);
	assert_in_range(len, DN_TEXT_SIZE - 4, DN_TEXT_SIZE - 1);
	assert_string_equal(info.subject + len - 4, "😀");
	blob_free(&der);
}

static void refuses_what_is_no_certificate(void **state)
{
	struct blob der = new_certificate("CN=x"), longer = {NULL, 0}, empty = {NULL, 0};
	struct certificate_info info = {.serial = "untouched"};

	(void)state;
	assert_err(certificate_info(&empty, &info, e), ERR_REFUSED, "cannot be read");
	assert_ok(blob_copy(der.data, der.len, &longer, e));
	longer.data[longer.len++] = 0; /* blobs have a byte behind them */
	assert_err(certificate_info(&longer, &info, e), ERR_REFUSED, "cannot be read");
	longer.len -= 2;
	assert_err(certificate_info(&longer, &info, e), ERR_REFUSED, "cannot be read");
	assert_string_equal(info.serial, "untouched");
	blob_free(&longer);
	blob_free(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(joins_and_splits),
		cmocka_unit_test(splits_by_length),
		cmocka_unit_test(reads_and_writes_pem),
		cmocka_unit_test(refuses_bad_pem),
		cmocka_unit_test(tells_what_is_in_it),
		cmocka_unit_test(cuts_long_names_at_a_character),
		cmocka_unit_test(refuses_what_is_no_certificate),
	};

	return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}

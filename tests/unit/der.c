/* The DER writer, against the octets that X.690 gives and against libtasn1's reader. */
#include "pki/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libtasn1.h>

#include "base/text.h"

#define LIMIT 100000

/* Takes what was written and compares it. */
static void expect(struct der *d, const char *expected)
{
	struct blob out = {NULL, 0};
	struct error e = {.code = ERR_OK};
	char hex[256];

	assert_int_equal(der_take(d, &out, &e), ERR_OK);
	assert_true(out.len < sizeof(hex) / 2);
	text_hex(out.data, out.len, hex);
	assert_string_equal(hex, expected);
	blob_free(&out);
}

static void test_unsigned(void **state)
{
	static const struct {
		unsigned long value;
		const char *der;
	} cases[] = {
		{0, "020100"},
		{1, "020101"},
		{127, "02017f"},
		{128, "02020080"},
		{255, "020200ff"},
		{256, "02020100"},
		{2048, "02020800"},
		{32768, "0203008000"},
		{600000, "02030927c0"},
		{0xffffffff, "020500ffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct der d = DER_INIT(LIMIT);

		der_unsigned(&d, cases[i].value);
		expect(&d, cases[i].der);
	}
}

static void test_values(void **state)
{
	struct der d = DER_INIT(LIMIT);

	(void)state;
	der_open(&d, DER_SEQUENCE);
	der_oid(&d, "1.2.840.113549.1.7.1");
	der_open(&d, DER_CONTEXT_0);
	der_string(&d, DER_OCTET_STRING, "abc", 3);
	der_close(&d);
	der_null(&d);
	der_raw(&d, "\x02\x01\x05", 3);
	der_open(&d, DER_SET);
	der_close(&d);
	der_close(&d);
	expect(&d, "301906092a864886f70d010701a0050403616263050002010531"
		   "00");
}

/* The header grows as the content does; libtasn1 must find the same length. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct der d = DER_INIT(LIMIT);
		struct error e = {.code = ERR_OK};
		struct blob out = {NULL, 0};
		unsigned char *data = calloc(1, lengths[i] + 1);
		int size = 0;

		assert_non_null(data);
		memset(data, 'x', lengths[i]);
		der_string(&d, DER_OCTET_STRING, data, lengths[i]);
		assert_int_equal(der_take(&d, &out, &e), ERR_OK);
		assert_int_equal(
			asn1_get_length_der(out.data + 1, (int)out.len - 1, &size), lengths[i]);
		assert_int_equal(out.len, 1 + (size_t)size + lengths[i]);
		assert_memory_equal(out.data + 1 + size, data, lengths[i]);
		blob_free(&out);
		free(data);
	}
}

static void expect_failure(struct der *d)
{
	struct blob out = {NULL, 1234};
	struct error e = {.code = ERR_OK};

	assert_int_equal(der_take(d, &out, &e), ERR_INTERNAL);
	assert_null(out.data);
	assert_int_equal(out.len, 1234);
}

static void test_failures(void **state)
{
	struct der d = DER_INIT(8);

	(void)state;
	der_string(&d, DER_OCTET_STRING, "123456", 6); /* 8 octets fit */
	expect(&d, "0406313233343536");
	der_string(&d, DER_OCTET_STRING, "1234567", 7);
	expect_failure(&d);
	der_string(&d, DER_OCTET_STRING, "1234567890", 10);
	expect_failure(&d);

	der_open(&d, DER_SEQUENCE); /* never closed */
	expect_failure(&d);
	der_close(&d); /* never opened */
	expect_failure(&d);
	der_oid(&d, "9.99.1"); /* no such root */
	expect_failure(&d);
	der_null(&d); /* a failure is forgotten once it was reported */
	expect(&d, "0500");
}

static void test_depth(void **state)
{
	struct der d = DER_INIT(LIMIT);

	(void)state;
	for (int i = 0; i < DER_DEPTH_MAX; i++)
		der_open(&d, DER_SEQUENCE);
	for (int i = 0; i < DER_DEPTH_MAX; i++)
		der_close(&d);
	expect(&d, "301e301c301a301830163014301230103"
		   "00e300c300a30083006300430023000");
	for (int i = 0; i < DER_DEPTH_MAX + 1; i++)
		der_open(&d, DER_SEQUENCE);
	for (int i = 0; i < DER_DEPTH_MAX + 1; i++)
		der_close(&d);
	expect_failure(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("der", tests, NULL, NULL);
}

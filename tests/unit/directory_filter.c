/* Filters of LDAP: what is escaped, what is one, where values may stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "directory/filter.h"
#include "directory/session.h"

static void assert_escaped(const char *value, const char *expected)
{
	struct buf out = BUF_INIT(1024);

	filter_escape(&out, value);
	assert_false(out.failed);
	assert_string_equal(out.data ? out.data : "", expected);
	buf_free(&out);
}

static void test_escape(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("anna.o'hara@example.com", "anna.o'hara@example.com");
	assert_escaped("*)(mail=*", "\\2a\\29\\28mail=\\2a");
	assert_escaped("a\\2ab", "a\\5c2ab");
	assert_escaped("\xc3\xa9\x01\x7f", "\\c3\\a9\\01\\7f");
	assert_escaped("a&b|c!d<e>f~g", "a&b|c!d<e>f~g");
}

/* libldap's own escaping, taken back, gives the same. */
static void test_escape_is_libldaps(void **state)
{
	char value[256];
	struct buf out = BUF_INIT(1024);
	struct berval in = {255, value}, theirs = {0, NULL};

	(void)state;
	for (int i = 0; i < 255; i++)
		value[i] = (char)(i + 1);
	value[255] = '\0';
	filter_escape(&out, value);
	assert_int_equal(ldap_bv2escaped_filter_value(&in, &theirs), 0);
	for (char *p = theirs.bv_val; *p; p++)
		if (*p == '\\')
			for (int i = 1; i <= 2; i++)
				p[i] = (char)(p[i] >= 'A' && p[i] <= 'F' ? p[i] + 32 : p[i]);
	assert_string_equal(out.data, theirs.bv_val);
	ber_memfree(theirs.bv_val);
	buf_free(&out);
}

static void test_check(void **state)
{
	static const char *const good[] = {"(cn=x)", "(cn=)", "(cn=*)", "(cn=a*b\\2a)",
		"(&(objectClass=user)(|(mail=x)(!(cn=y))))",
		"(memberOf:1.2.840.113556.1.4.1941:=cn=all,dc=example)"};
	static const char *const bad[] = {
		"", "cn=x", "(cn=x", "(cn=x))", "((cn=x)", "(cn)", "(&)(", "(cn=a\\zz)", "(c n=x)"};
	struct error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(filter_check(good[i], &e), ERR_OK);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (filter_check(bad[i], &e) != ERR_CONFIG)
			fail_msg("%s", bad[i]);
}

static void test_names_are_values(void **state)
{
	static const char *const good[] = {
		"(cn=x)", "(cn={A})", "(cn=a{A}b{B})", "(&(cn={A})(mail={B}))", "(a=b={A})"};
	static const char *const bad[] = {
		"{A}", "({A}=x)", "(cn=x){A}", "(&(cn=x)({A}))", "(cn{A}=x)", "(&{A}(cn=x))"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(filter_names_are_values(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(filter_names_are_values(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_is_libldaps),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_names_are_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

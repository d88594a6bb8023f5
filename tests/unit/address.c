/* Mail addresses: which are accepted, and the form in which they come out. */

#include "pki/address.h"

#include "pki_tools.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D63 "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static void takes_mail_addresses(void **state)
{
	static const struct {
		const char *given, *text, *domain;
		bool ascii;
	} rows[] = {
		{"alice@example.com", "alice@example.com", "example.com", true},
		{"Alice.B@EXAMPLE.Com", "Alice.B@example.com", "example.com", true},
		{"o'brien@example.com", "o'brien@example.com", "example.com", true},
		{"#$&'*+-/=?^_`{|}~@example.com", "#$&'*+-/=?^_`{|}~@example.com", "example.com",
			true},
		{"a@b-c.1x", "a@b-c.1x", "b-c.1x", true},
		{"a@1.example", "a@1.example", "1.example", true},
		{A63 "a@example.com", A63 "a@example.com", "example.com", true},
		{"a@" D63 ".de", "a@" D63 ".de", D63 ".de", true},
		{"a@bücher.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"a@BÜCHER.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"a@XN--bcher-KVA.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example",
			true},
		{"a@faß.de", "a@xn--fa-hia.de", "xn--fa-hia.de", true},
		{"a@例え.テスト", "a@xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah", true},
		{"jörg@example.com", "jörg@example.com", "example.com", false},
		{"jörg@bücher.example", "jörg@xn--bcher-kva.example", "xn--bcher-kva.example",
			false},
		{"用户@example.com", "用户@example.com", "example.com", false},
		{"दिल्ली@example.com", "दिल्ली@example.com", "example.com", false},
		{"Ünal.ß@example.com", "Ünal.ß@example.com", "example.com", false},
		/* 64 + 1 + 189 = 254 */
		{A63 "a@" D63 "." D63
		     ".ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd."
		     "d",
			A63 "a@" D63 "." D63
			    ".ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.d",
			D63 "." D63
			    ".ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.d",
			true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address a = {.text = ""};

		assert_ok(address_parse(rows[i].given, &a, e));
		assert_string_equal(a.text, rows[i].text);
		assert_string_equal(a.text + a.domain, rows[i].domain);
		assert_int_equal(a.ascii_local, rows[i].ascii);
	}
}

static void refuses_the_rest(void **state)
{
	static const struct {
		const char *given, *why;
	} rows[] = {
		{"", "not one @"},
		{"@", "nothing before"},
		{"not-an-email", "not one @"},
		{"@example.com", "nothing before"},
		{"a@", "empty label"},
		{"a@@example.com", "not one @"},
		{"a@b@example.com", "not one @"},
		{"a b@example.com", "needs quoting"},
		{" a@example.com", "needs quoting"},
		{"a@example.com ", "domain"},
		{"\"a b\"@example.com", "quoted strings"},
		{"a(comment)@example.com", "needs quoting"},
		{"<a@example.com>", "needs quoting"},
		{"Alice <a@example.com>", "needs quoting"},
		{"a,b@example.com", "needs quoting"},
		{"a;b@example.com", "needs quoting"},
		{"a:b@example.com", "needs quoting"},
		{"a\\b@example.com", "needs quoting"},
		{"a[b]@example.com", "needs quoting"},
		{"alice%example.org@example.com", "a route"},
		{"example.org!alice@example.com", "a route"},
		{"%@example.com", "a route"},
		{".a@example.com", "a dot at an end"},
		{"a.@example.com", "a dot at an end"},
		{"a..b@example.com", "two dots"},
		{A63 "aa@example.com", "64 bytes"},
		{"a@localhost", "single label"},
		{"a@example..com", "label"},
		{"a@.example.com", "label"},
		{"a@example.com.", "empty label"},
		{"a@-x.example", "domain"},
		{"a@x-.example", "domain"},
		{"a@ex_ample.com", "domain"},
		{"a@ex ample.com", "domain"},
		{"a@ex*ample.com", "domain"},
		{"a@exam\xcd\x8fple.com", "invisible"},
		{"a@☃.example", "domain"},
		{"a@1。2", "IP address"},
		{"a\u00a0b@example.com", "invisible"},
		{"a\u3000b@example.com", "invisible"},
		{"jo\u0308rg@example.com", "NFKC"},
		{"\u1112\u1161\u11ab@example.com", "NFKC"},
		{"ａlice@example.com", "NFKC"},
		{"ﬁona@example.com", "NFKC"},
		{"x²@example.com", "NFKC"},
		{"\u212alaus@example.com", "NFKC"},
		{"ℹ@example.com", "NFKC"},
		{"\U0001d41a@example.com", "NFKC"},
		{"alice＠example.com", "not one @"},
		{"a@example.com\n", "control"},
		{"a\r\nBcc:b@example.com", "control"},
		{"a\tb@example.com", "control"},
		{"a\x7f@example.com", "control"},
		{"a@[192.0.2.1]", "address literal"},
		{"a@192.0.2.1", "IP address"},
		{"a@example.123", "IP address"},
		{"a@d" D63 ".de", "domain"},
		{"a@xn--99999999.example", "domain"},
		{"a@xn--a.example", "domain"},
		{"a\xc3@example.com", "UTF-8"},
		{"a\xff@example.com", "UTF-8"},
		{"a\xc0\xae@example.com", "UTF-8"},
		{"a\xe2\x80\xae@example.com", "control or invisible"},
		{"a\xe2\x80\x8b@example.com", "control or invisible"},
		{"a@exam\xc2\xadple.com", "control or invisible"},
		{A63 "a@" D63 "." D63
		     ".dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.d",
			"254 bytes"},
		{"a@" D63 "." D63 "." D63 "." D63 "." D63, "domain"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address a = {.text = "untouched"};

		assert_err(address_parse(rows[i].given, &a, e), ERR_UNPROCESSABLE, rows[i].why);
		assert_string_equal(a.text, "untouched");
	}
}

static void refuses_what_is_huge(void **state)
{
	size_t len = 1024 * 1024;
	char *huge = malloc(len + 1);
	struct address a = {.text = "untouched"};

	(void)state;
	assert_non_null(huge);
	memset(huge, 'a', len);
	huge[1] = '@';
	huge[len] = '\0';
	assert_err(address_parse(huge, &a, e), ERR_UNPROCESSABLE, "too long");
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_mail_addresses),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(refuses_what_is_huge),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}

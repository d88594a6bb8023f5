/* HTML in which nothing from outside becomes markup, and fields of query strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fcgi/pages/html.h"
#include "fcgi/pages/query_string.h"

static void text_never_becomes_markup(void **state)
{
	static const struct {
		const char *text, *html;
	} cases[] = {
		{"", ""},
		{"Anna's iPad", "Anna&#39;s iPad"},
		{"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"\"><img src=x onerror=alert(1)>", "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"},
		{"' onload='x", "&#39; onload=&#39;x"},
		{"&lt;b&gt;", "&amp;lt;b&amp;gt;"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x80\xaegnp.exe", "[U+202E]gnp.exe"},
		{"a\xe2\x80\x8b\x01\xef\xbb\xbf", "a[U+200B][U+0001][U+FEFF]"},
		{"\xe2\x9d\xa4\xef\xb8\x8f \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
			"\xe2\x9d\xa4\xef\xb8\x8f \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"},
		{"cut\xc3", "cut\xef\xbf\xbd"},
		{"\xc0\xbcscript>", "\xef\xbf\xbd\xef\xbf\xbdscript&gt;"}, /* an overlong "<" */
		{"\xed\xa0\x80<", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF_INIT(1024);

		buf_puts(&out, "");
		html_escape(&out, cases[i].text);
		assert_string_equal(out.data, cases[i].html);
		buf_free(&out);
	}
}

static void a_table_names_its_columns_in_each_row(void **state)
{
	static const char *const columns[] = {"A \"b\"", "When"};
	struct html_table table = {.caption = "<all>", .columns = columns, .count = 2};
	struct buf out = BUF_INIT(4096);

	(void)state;
	html_table_begin(&out, &table);
	html_cell(&out, &table, "<i>");
	html_cell_time(&out, &table, "2026-01-02T03:04:05Z");
	html_cell(&out, &table, NULL);
	html_cell_time(&out, &table, "");
	html_table_end(&out);
	assert_string_equal(out.data,
		"<table role=\"table\"><caption>&lt;all&gt;</caption>\n"
		"<thead role=\"rowgroup\"><tr role=\"row\">"
		"<th role=\"columnheader\" scope=\"col\">A &quot;b&quot;</th>"
		"<th role=\"columnheader\" scope=\"col\">When</th></tr></thead>\n"
		"<tbody role=\"rowgroup\">\n"
		"<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" "
		"data-label=\"A &quot;b&quot;\"><div><bdi>&lt;i&gt;</bdi></div></th>"
		"<td role=\"cell\" data-label=\"When\"><div>"
		"<time datetime=\"2026-01-02T03:04:05Z\">2026-01-02 <span>03:04</span></time>"
		"</div></td></tr>\n"
		"<tr role=\"row\"><th role=\"rowheader\" scope=\"row\" "
		"data-label=\"A &quot;b&quot;\"><div>–</div></th>"
		"<td role=\"cell\" data-label=\"When\"><div>–</div></td></tr>\n"
		"</tbody></table>\n");
	buf_free(&out);
}

static void a_time_that_is_none_is_text(void **state)
{
	static const char *const texts[] = {"\"onclick=\"alert(1)x", "2026-01-02T03:04:0<b",
		"2026-01-02T03:04:05ZZ", "invalid"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf out = BUF_INIT(256);

		html_time_text(&out, texts[i]);
		assert_null(strpbrk(out.data, "<\""));
		buf_free(&out);
	}
}

/* expected NULL: it is refused. */
static void assert_query(const char *query, const char *expected)
{
	struct buf out = BUF_INIT(16);
	struct error e = {.code = ERR_OK};
	enum err err;

	buf_puts(&out, "");
	err = query_string_find(query, "q", &out, &e);
	if (!expected) {
		assert_int_equal(err, ERR_MALFORMED);
	} else {
		assert_int_equal(err, ERR_OK);
		assert_string_equal(out.data, expected);
	}
	buf_free(&out);
}

static void a_query_is_decoded_strictly(void **state)
{
	char *longest = malloc(9000);

	(void)state;
	assert_query("", "");
	assert_query("q", "");
	assert_query("q=", "");
	assert_query("qq=no&q=a+b%2bc&x=1", "a b+c");
	assert_query("x=q=1&q=%C3%bc", "\xc3\xbc");
	assert_query("q=0123456789abcdef", "0123456789abcdef");
	assert_query("q=0123456789abcdefg", NULL);
	assert_query("q=%", NULL);
	assert_query("q=%4", NULL);
	assert_query("q=%4&x=1", NULL);
	assert_query("q=%zz", NULL);
	assert_query("q=%00", NULL);
	assert_query("q=%c3", NULL);
	assert_query("q=%c0%bc", NULL);
	assert_query("q=a&q=b", NULL);
	assert_query("q=a&q=a", NULL);
	assert_non_null(longest);
	memset(longest, 'x', 8999);
	longest[8999] = '\0';
	assert_query(longest, NULL);
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_never_becomes_markup),
		cmocka_unit_test(a_table_names_its_columns_in_each_row),
		cmocka_unit_test(a_time_that_is_none_is_text),
		cmocka_unit_test(a_query_is_decoded_strictly),
	};

	return cmocka_run_group_tests_name("fcgi_html", tests, NULL, NULL);
}

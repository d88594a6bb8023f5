/* Distinguished names: read, filled with values, cut and written. */

#include "pki/name.h"

#include "pki_tools.h"

#define S64 "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"

/* "OID=value OID=value" in the order of the encoding. */
static const char *shown(const struct name *name)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < name->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s=[%s]", i ? " " : "",
			name->attribute[i].oid, name->attribute[i].value);
	return text;
}

static enum err put(void *ctx, const char *value, struct buf *out, struct error *e)
{
	if (strcmp(value, "fail") == 0)
		return error_set(e, ERR_UNPROCESSABLE, "the expander's own reason");
	buf_puts(out, strcmp(value, "{name}") == 0 ? (const char *)ctx : value);
	return ERR_OK;
}

static void reads_distinguished_names(void **state)
{
	static const struct {
		const char *dn, *name;
	} rows[] = {
		{"CN=Example CA", "2.5.4.3=[Example CA]"},
		{"CN=Example CA,O=Example,C=DE",
			"2.5.4.6=[DE] 2.5.4.10=[Example] 2.5.4.3=[Example CA]"},
		{" cn = x , o=y  ", "2.5.4.10=[y] 2.5.4.3=[x]"},
		{"CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\#\\=", "2.5.4.3=[a,b+c\"d\\e<f>g;h#=]"},
		{"CN=\\ a\\ ", "2.5.4.3=[ a ]"},
		{"CN=a  b", "2.5.4.3=[a  b]"},
		{"CN=\\c3\\BC", "2.5.4.3=[ü]"},
		{"CN=a=b#", "2.5.4.3=[a=b#]"},
		{"CN=\\#12", "2.5.4.3=[#12]"},
		{"CN=a,O=,OU=b", "2.5.4.11=[b] 2.5.4.3=[a]"},
		{"OU=b,OU=a", "2.5.4.11=[a] 2.5.4.11=[b]"},
		{"UID=u,DC=example,DC=com",
			"0.9.2342.19200300.100.1.25=[com] 0.9.2342.19200300.100.1.25=[example] "
			"0.9.2342.19200300.100.1.1=[u]"},
		{"emailAddress=a@b.example,serialNumber=1,GN=g,SN=s,ST=t,L=l",
			"2.5.4.7=[l] 2.5.4.8=[t] 2.5.4.4=[s] 2.5.4.42=[g] 2.5.4.5=[1] "
			"1.2.840.113549.1.9.1=[a@b.example]"},
		{"CN=" S64, "2.5.4.3=[" S64 "]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name name = {0};

		assert_ok(name_build(rows[i].dn, NULL, NULL, &name, e));
		assert_string_equal(shown(&name), rows[i].name);
	}
}

static void refuses_malformed_names(void **state)
{
	static const struct {
		const char *dn, *why;
	} rows[] = {
		{"", "without a name"},
		{"x", "without a name"},
		{"=x", "without a name"},
		{"CN", "without a name"},
		{"CN=a,", "without a name"},
		{",CN=a", "without a name"},
		{"2.5.4.3=a", "without a name"},
		{"XX=a", "\"XX\" is not one of"},
		{"CNN=a", "\"CNN\" is not one of"},
		{"CN=a+O=b", "without a backslash"},
		{"CN=\"a,b\"", "without a backslash"},
		{"CN=a;O=b", "without a backslash"},
		{"CN=<a>", "without a backslash"},
		{"CN=#0c0161", "#hexadecimal"},
		{"CN=a\\", "backslash"},
		{"CN=a\\x", "backslash"},
		{"CN=a\\0", "backslash"},
		{"CN=a\\00", "backslash"},
		{"OU=1,OU=2,OU=3,OU=4,OU=5,OU=6,OU=7,OU=8,OU=9", "more than 8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name name = {.count = 7};

		assert_err(name_build(rows[i].dn, NULL, NULL, &name, e), ERR_CONFIG, rows[i].why);
		assert_int_equal(name.count, 7);
	}
}

static void takes_expanded_values_literally(void **state)
{
	static char values[][24] = {"x,O=Evil", "x+O=Evil", "CN=x", "\"x\"", "x\\", "\\2c", "#30",
		" x ", "{name}", "x;y", "<x>", "日本 😀", "علی‌رضا", "%s%n", "/CN=x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct name name = {0};

		assert_ok(name_build("CN={name},O=Example", put, values[i], &name, e));
		assert_int_equal(name.count, 2);
		assert_string_equal(name.attribute[0].value, "Example");
		assert_string_equal(name.attribute[1].oid, "2.5.4.3");
		assert_string_equal(name.attribute[1].value, values[i]);
	}
}

static void refuses_bad_values(void **state)
{
	static const struct {
		const char *dn, *value, *why;
	} rows[] = {
		{"CN={name}", "x\nO=Evil", "control"},
		{"CN={name}", "x\rO=Evil", "control"},
		{"CN={name}", "x\xe2\x80\xaeO", "control"},
		{"CN={name}", "x\xc2\x85", "control"},
		{"CN={name}", "x\xff", "UTF-8"},
		{"serialNumber={name}", S64 "s", "more than 64 characters"},
		{"DC={name}", S64 "s", "more than 63 characters"},
		{"CN={name}", "a\u200cb", "control"},
		{"UID={name}", S64 S64 S64 S64, "more than 255 bytes"},
		{"C={name}", "DEU", "more than 2"},
		{"C={name}", "D", "two letters"},
		{"C={name}", "12", "two letters"},
		{"C={name}", "ü", "two letters"},
		{"emailAddress={name}", "jörg@example.com", "ASCII"},
		{"DC={name}", "bücher", "ASCII"},
		{"serialNumber={name}", "1*2", "PrintableString"},
		{"CN={name}", "", "nothing is left"},
		{"CN=fail", "", "the expander's own reason"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name name = {.count = 7};
		char value[512];

		snprintf(value, sizeof(value), "%s", rows[i].value);
		assert_err(name_build(rows[i].dn, put, value, &name, e), ERR_UNPROCESSABLE,
			rows[i].why);
		assert_int_equal(name.count, 7);
	}
}

/* Values that do not identify are cut; those of the configuration never are. */
static void cuts_long_names(void **state)
{
	static const struct {
		const char *given, *cut;
	} rows[] = {
		{S64, S64},
		{S64 "s", S64},
		{S64 " s", S64},
		{S64 S64 S64 S64 S64 S64, S64},
		{"Maria del Carmen Fernandez de la Vega y Sanchez de Castro, of the House",
			"Maria del Carmen Fernandez de la Vega y Sanchez de Castro, of"},
		{"Maria del Carmen Fernandez de la Vega y Sanchez de Castro,  xxxxxxxxxxx",
			"Maria del Carmen Fernandez de la Vega y Sanchez de Castro"},
		{"A " S64, "A ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"},
		{"a.very.long.local.part.of.an.address@a.very.long.domain.example.com",
			"a.very.long.local.part.of.an.address"},
		{"ü" S64, "üsssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"},
	};
	static const char *const names[] = {"CN={name}", "OU={name}", "O={name}", "GN={name}"};
	struct name name = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(names); j++) {
			char value[512];

			snprintf(value, sizeof(value), "%s", rows[i].given);
			assert_ok(name_build(names[j], put, value, &name, e));
			assert_string_equal(name.attribute[0].value, rows[i].cut);
		}
	}
	assert_err(name_build("CN=" S64 "s", NULL, NULL, &name, e), ERR_UNPROCESSABLE,
		"more than 64 characters");
}

/* 64 characters, each of four bytes, are 256 bytes; 63 fit. */
static void counts_characters_not_bytes(void **state)
{
	struct name name = {0};
	char value[512] = "";

	(void)state;
	for (int i = 0; i < 63; i++)
		memcpy(value + (size_t)i * 4, "😀", 5);
	assert_ok(name_build("CN={name}", put, value, &name, e));
	assert_string_equal(name.attribute[0].value, value);
	memcpy(value + 63 * 4, "😀", 5);
	assert_ok(name_build("CN={name}", put, value, &name, e));
	assert_int_equal(strlen(name.attribute[0].value), 63 * 4);
}

static void leaves_out_empty_values(void **state)
{
	struct name name = {0};
	char empty[] = "";

	(void)state;
	assert_ok(name_build("CN=x,OU={name}", put, empty, &name, e));
	assert_string_equal(shown(&name), "2.5.4.3=[x]");
}

/* What it writes reads as the same name. */
static void writes_what_it_reads(void **state)
{
	static const struct {
		const char *dn, *value, *text;
	} rows[] = {
		{"CN={name}, O=Example,C=DE", "Zenny Ülm", "CN=Zenny Ülm,O=Example,C=DE"},
		{"UID={name},emailAddress=a@example.com", "x", "UID=x,emailAddress=a@example.com"},
		{"CN={name}", "a,b+c\"d\\e<f>g;h=i", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h=i"},
		{"CN={name}", "#1 # ", "CN=\\#1 #\\ "},
		{"CN={name}", " x", "CN=\\ x"},
		{"CN={name}", " ", "CN=\\ "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = BUF_INIT(1024);
		struct name name = {0}, again = {0};
		char value[64];

		snprintf(value, sizeof(value), "%s", rows[i].value);
		assert_ok(name_build(rows[i].dn, put, value, &name, e));
		name_text(&name, &text);
		assert_string_equal(text.data, rows[i].text);
		assert_ok(name_build(text.data, NULL, NULL, &again, e));
		assert_string_equal(again.attribute[again.count - 1].value, value);
		assert_int_equal(again.count, name.count);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_distinguished_names),
		cmocka_unit_test(refuses_malformed_names),
		cmocka_unit_test(takes_expanded_values_literally),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(cuts_long_names),
		cmocka_unit_test(counts_characters_not_bytes),
		cmocka_unit_test(leaves_out_empty_values),
		cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}

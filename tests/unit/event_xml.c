#include "uem/event_xml.h"

#include "base/buf.h"
#include "base/file.h"
#include "event_tools.h"
#include "uem/event_print.h"

/* Notifications in XML make the events that their JSON forms make, and attacks in XML none. */

#define ROOT(inside) "<Eventlog>" inside "</Eventlog>"
#define XML_UUIDS \
	"<DeviceUUID>" DEVICE "</DeviceUUID><EnrollmentUserUUID>" USER "</EnrollmentUserUUID>"
#define XML_ENROLLED "<EventId>148</EventId>" XML_UUIDS
#define OTHER "<EventId>1</EventId>"
#define BYTES(s) s, sizeof(s) - 1
#define FFFD "\xef\xbf\xbd"

static enum err parse_bytes(const char *xml, size_t len, struct event **out, struct error *e)
{
	char *exact = malloc(len);
	enum err err;

	assert_non_null(exact);
	memcpy(exact, xml, len);
	*e = (struct error){.code = ERR_OK};
	err = event_parse(exact, len, out, e);
	free(exact);
	return err;
}

static void assert_refused(const char *xml, size_t len, const char *field, const char *why)
{
	struct event *event = NULL;
	struct error e;

	if (parse_bytes(xml, len, &event, &e) != ERR_MALFORMED || e.code != ERR_MALFORMED)
		fail_msg("%.200s: %s", xml, event ? "taken" : e.text);
	assert_null(event);
	if (strcmp(e.field, field) != 0)
		fail_msg("%.200s: field \"%s\", not \"%s\"", xml, e.field, field);
	if (!strstr(e.text, why))
		fail_msg("%.200s: \"%s\" without \"%s\"", xml, e.text, why);
}

static struct event *good_xml(const char *xml, size_t len)
{
	struct event *event = NULL;
	struct error e;

	if (parse_bytes(xml, len, &event, &e))
		fail_msg("%.200s: %s", xml, e.text);
	return event;
}

/* As they are stored. */
static void assert_same(const char *xml, size_t len, const char *json)
{
	struct event *of_xml = good_xml(xml, len), *of_json = good(json);
	struct buf a = BUF_INIT(65536), b = BUF_INIT(65536);

	event_print(of_xml, &a);
	event_print(of_json, &b);
	assert_string_equal(a.data, b.data);
	assert_int_equal(of_xml->time, of_json->time);
	event_free(of_xml);
	event_free(of_json);
	buf_free(&a);
	buf_free(&b);
}

static void test_sample(void **state)
{
	struct blob xml = load("events/notification.xml"), json = load("enrollment-event.json");
	struct event *event = good_xml((const char *)xml.data, xml.len);

	(void)state;
	assert_same((const char *)xml.data, xml.len, (const char *)json.data);
	assert_int_equal(event->kind, EVENT_ENROLLED);
	assert_int_equal(event->user_id, 12);
	assert_string_equal(event->field[EVENT_ENROLLMENT_USER_NAME], "zenny");
	assert_string_equal(event->field[EVENT_ENROLLMENT_EMAIL_ADDRESS], "");
	assert_string_equal(event->repaired, "");
	event_free(event);
	blob_free(&xml);
	blob_free(&json);
}

static void test_shapes(void **state)
{
	static const char *const shapes[] = {
		ROOT(XML_ENROLLED "<Platform>A&amp;B</Platform>"),
		"\xef\xbb\xbf" ROOT(XML_ENROLLED "<Platform>A&#38;B</Platform>"),
		"\r\n " ROOT(XML_ENROLLED "<Platform>A&#x26;B</Platform>") "\r\n ",
		ROOT("\r\n\t" XML_ENROLLED "\n<Platform>\n  A&amp;B \r\n</Platform>\n"),
		ROOT(XML_ENROLLED "<Platform><![CDATA[A&B]]></Platform>"),
		ROOT(XML_ENROLLED "<Platform>A<![CDATA[&]]><!-- x -->B</Platform>"),
		ROOT(XML_ENROLLED "<Platform>A<?x y?>&amp;B</Platform><Udid/><X/><x/>"),
		ROOT(XML_ENROLLED "<Platform>A&amp;B</Platform><Udid></Udid><PhoneNumber> "
				  "</PhoneNumber><New a='1'><b>2</b>3<b>4</b></New>"),
		"<?xml version='1.0'?><!-- c --><?p i?>" ROOT(
			"<Platform>A&amp;B</Platform>" XML_ENROLLED),
		"<?xml version='1.0' encoding='utf-16' standalone='yes'?>" ROOT(
			"<Platform>A&amp;B</Platform>" XML_ENROLLED),
		"<Eventlog xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns='urn:x'>"
		"<Udid xsi:nil='true'/><Platform>A&amp;B</Platform>" XML_ENROLLED "</Eventlog>",
		ROOT("<x:Platform>other</x:Platform><Platform>A&amp;B</Platform>" XML_ENROLLED),
		ROOT("<EventId>\n148\n</EventId>" XML_UUIDS "<Platform>A&amp;B</Platform>"),
		ROOT("<EventId/><EventType>MDM Enrollment Complete</EventType>" XML_UUIDS
		     "<Platform>A&amp;B</Platform>") "<!-- end -->",
	};
	static const char *const json[] = {"{" ENROLLED ",\"Platform\":\"A&B\"}",
		"{\"EventType\":\"MDM Enrollment Complete\"," UUIDS ",\"Platform\":\"A&B\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		assert_same(shapes[i], strlen(shapes[i]), json[i == ARRAY_LEN(shapes) - 1]);
}

/* The rules for fields are those of JSON, damage among them. */
static void test_fields_as_in_json(void **state)
{
	static const struct {
		const char *xml;
		size_t len;
		const char *json;
	} rows[] = {
		{BYTES("Zo\xeb"), "\"Zo\xeb\""},
		{BYTES("Zo&#xD83D;"), "\"Zo\\ud83d\""},
		{BYTES("Zo\0\0"), "\"Zo\\u0000\\u0000\""},
		{BYTES("Zo&#0;"), "\"Zo\\u0000\""},
		{BYTES("Zo\0x"), "\"Zo\\u0000x\""},
		{BYTES("Z\xf0\x9f"), "\"Z\xf0\x9f\""},
		{BYTES("Zo\x01"), "\"Zo\\ufffd\""}, /* XML cannot tell it */
		{BYTES("<b/>"), "{}"},
		{BYTES("a<b>c</b>d"), "[]"},
		{BYTES("123"), "123"},
		{BYTES("\xc2\xa0x&#x200B;"), "\"x\""},
		{BYTES("\"'\\&quot;&apos;&gt;"), "\"\\\"'\\\\\\\"'>\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf xml = BUF_INIT(4096), json = BUF_INIT(4096);

		buf_puts(&xml, "<Eventlog>" XML_ENROLLED "<DeviceFriendlyName>");
		buf_append(&xml, rows[i].xml, rows[i].len);
		buf_puts(&xml, "</DeviceFriendlyName></Eventlog>");
		buf_printf(&json, "{" ENROLLED ",\"DeviceFriendlyName\":%s}", rows[i].json);
		assert_same(xml.data, xml.len, json.data);
		buf_free(&xml);
		buf_free(&json);
	}
}

static void test_long_text_is_cut(void **state)
{
	struct buf xml = BUF_INIT(65536);
	struct event *event;

	(void)state;
	buf_puts(&xml, "<Eventlog>" XML_ENROLLED "<DeviceFriendlyName>x");
	for (int i = 0; i < 10000; i++)
		buf_puts(&xml, "&lt;"); /* no amplification */
	buf_puts(&xml, "</DeviceFriendlyName></Eventlog>");
	event = good_xml(xml.data, xml.len);
	assert_int_equal(strlen(event->field[EVENT_DEVICE_FRIENDLY_NAME]), 1024);
	assert_int_equal(event->damage[EVENT_DEVICE_FRIENDLY_NAME], EVENT_CUT);
	assert_string_equal(event->repaired, "DeviceFriendlyName (cut)");
	event_free(event);
	buf_free(&xml);
}

static void test_encodings(void **state)
{
	static const char json[] = "{\"EventId\":1,\"Platform\":\"\xc3\xab\"}";
	static const char ascii[] = ROOT(OTHER "<Platform>*</Platform>");
	static const char *const marks[] = {"\xff\xfe", "\xfe\xff", "", ""};

	(void)state;
	for (size_t form = 0; form < 4; form++) {
		struct buf xml = BUF_INIT(4096);
		bool big = form % 2;

		buf_puts(&xml, marks[form]);
		for (const char *at = ascii; *at; at++) {
			char c = *at == '*' ? '\xeb' : *at;

			buf_putc(&xml, big ? '\0' : c);
			buf_putc(&xml, big ? c : '\0');
		}
		assert_same(xml.data, xml.len, json);
		buf_free(&xml);
	}
	assert_same(BYTES("<?xml version='1.0' encoding='iso-8859-1'?>" ROOT(
			    OTHER "<Platform>\xeb</Platform>")),
		json);
}

static void test_encodings_refused(void **state)
{
	static const char *const names[] = {"windows-1252", "iso-8859-15", "utf-7", "utf-32",
		"shift_jis", "x-user-defined", "ebcdic-cp-us"};
	char xml[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(xml, sizeof(xml), "<?xml version=\"1.0\" encoding=\"%s\"?>%s", names[i],
			ROOT(OTHER));
		assert_refused(xml, strlen(xml), "", "encoding must be UTF-8");
	}
	assert_refused(BYTES("\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?>" ROOT(OTHER)),
		"", "encoding must be UTF-8");
	assert_refused(BYTES("<?xml version='1.0' encoding='u t f'?>" ROOT(OTHER)), "", "syntax");
	assert_refused(BYTES("\xff\xfe\0\0<\0\0\0"), "", "");
}

static void test_kinds_of_fields_refused(void **state)
{
	(void)state;
	assert_refused(BYTES(ROOT("")), "EventType", "needs an EventId");
	assert_refused(BYTES("<Eventlog/>"), "EventType", "needs an EventId");
	assert_refused(BYTES(ROOT("<eventid>148</eventid>" XML_UUIDS)), "EventType", "needs");
	assert_refused(BYTES(ROOT("<EventId>x</EventId>")), "EventId", "whole number");
	assert_refused(BYTES(ROOT("<EventId>-1</EventId>")), "EventId", "whole number");
	assert_refused(BYTES(ROOT("<EventId>1.5</EventId>")), "EventId", "whole number");
	assert_refused(BYTES(ROOT("<EventId>9007199254740993</EventId>")), "EventId", "whole");
	assert_refused(BYTES(ROOT("<EventId><b>1</b></EventId>")), "EventId", "whole number");
	assert_refused(BYTES(ROOT("<EventId>1\0002</EventId>")), "EventId", "whole number");
	assert_refused(BYTES(ROOT("<EventId>178</EventId><EventType>Enrollment Complete"
				  "</EventType>" XML_UUIDS)),
		"EventType", "different events");
	assert_refused(BYTES(ROOT("<EventId>148</EventId>")), "DeviceUUID", "missing");
	assert_refused(BYTES(ROOT("<EventId>148</EventId><DeviceUUID>" DEVICE "</DeviceUUID>")),
		"EnrollmentUserUUID", "device " DEVICE);
	assert_refused(BYTES(ROOT("<EventId>148</EventId><DeviceUUID>" DEVICE "<b/></DeviceUUID>")),
		"DeviceUUID", "must be a UUID");
	assert_refused(BYTES(ROOT("<EventId>39</EventId><DeviceUUID>" DEVICE "\xff</DeviceUUID>")),
		"DeviceUUID", "must be a UUID");
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_refused(BYTES(ROOT(XML_ENROLLED "<EventId>148</EventId>")), "EventId",
		"event of device " DEVICE ": EventId occurs more than once");
	assert_refused(BYTES(ROOT(OTHER "<x>1</x><y/><x/>")), "x", "x occurs more than once");
	assert_refused(BYTES(ROOT(OTHER "<x><y/></x><x/>")), "x", "x occurs more than once");
	assert_refused(BYTES(ROOT("<Udid/><Udid>1</Udid>" OTHER)), "Udid", "more than once");
	assert_same(BYTES(ROOT(OTHER "<x><y/><y/><EventId>2</EventId></x>")), "{\"EventId\":1}");
}

static void test_syntax(void **state)
{
	static const struct {
		const char *xml, *why;
	} rows[] = {
		{"<", "cut"},
		{"<Eventlog", "cut"},
		{"<Eventlog>", "cut"},
		{"<Eventlog>" XML_ENROLLED, "cut"},
		{"<Eventlog>" XML_ENROLLED "</Eventlo", "cut"},
		{"<Eventlog><EventId>14", "cut"},
		{"<Eventlog><EventId><![CDATA[14", "cut"},
		{"<?xml version='1.0'?>", "cut"},
		{"<!-- x", "cut"},
		{ROOT(OTHER) ROOT(OTHER), "syntax"},
		{ROOT(OTHER) "x", "syntax"},
		{ROOT(OTHER) "{\"EventId\":1}", "syntax"},
		{"<Eventlog><EventId>1</Eventlog></EventId>", "syntax"},
		{"<Eventlog><EventId>1</eventid></Eventlog>", "line 1"},
		{"<Eventlog>\n\n<EventId>1<</EventId></Eventlog>", "line 3"},
		{"<Eventlog x='1' x='2'>" OTHER "</Eventlog>", "syntax"},
		{ROOT(OTHER "<a>]]></a>"), "syntax"},
		{ROOT(OTHER "<a>&</a>"), "syntax"},
		{ROOT("<?xml version='1.0'?>" OTHER), "syntax"},
		{ROOT("x" OTHER), "text between"},
		{ROOT(OTHER "148"), "text between"},
		{ROOT(OTHER "&#160;"), "text between"},
		{ROOT(OTHER "<![CDATA[x]]>"), "text between"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].xml, strlen(rows[i].xml), "", rows[i].why);
	assert_refused(BYTES(ROOT(OTHER) "\0"), "", "syntax");
	assert_refused(BYTES(ROOT(OTHER "\0" OTHER)), "", "text between");
	assert_refused(BYTES("<Event\0log>" OTHER "</Eventlog>"), "", "syntax");
}

/* XML of another kind. */
static void test_other_roots(void **state)
{
	static const char *const others[] = {"<EventLog>" OTHER "</EventLog>",
		"<x:Eventlog xmlns:x='urn:x'>" OTHER "</x:Eventlog>",
		"<soap><Eventlog>" OTHER "</Eventlog></soap>", "<html><body>400</body></html>",
		"<event/>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct event *event = NULL;
		struct error e;

		assert_int_equal(
			parse_bytes(others[i], strlen(others[i]), &event, &e), ERR_UNSUPPORTED);
		assert_non_null(strstr(e.text, "root is not Eventlog"));
		assert_null(event);
	}
}

/* Bombs, files and addresses of others: nothing of a DTD is read. */
static void test_entities(void **state)
{
	static const char *const attacks[] = {"<!DOCTYPE Eventlog>" ROOT(OTHER),
		"<!DOCTYPE Eventlog []>" ROOT(OTHER),
		"<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'>" ROOT(OTHER),
		"<!DOCTYPE a PUBLIC '-//x' 'file:///etc/passwd'>" ROOT(OTHER),
		"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" ROOT(
			OTHER "<Platform>&x;</Platform>"),
		"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/'>%p;]>" ROOT(OTHER),
		"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
		"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;'>"
		"<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;'>]>" ROOT(
			OTHER "<Platform>&f;</Platform>"),
		"<!DOCTYPE a [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>" ROOT("<EventId>&a;</EventId>"),
		"<!DOCTYPE a [<!ATTLIST Eventlog x CDATA 'y'>]>" ROOT(OTHER),
		"<!DOCTYPE a [<!ENTITY", "<!DOCTYPE Eventlog ["};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		assert_refused(attacks[i], strlen(attacks[i]), "", "document type declaration");
	assert_refused(BYTES("<!DOCTYPE"), "", "cut");
	assert_refused(BYTES(ROOT(OTHER "<a>&nbsp;</a>")), "", "refers to an entity");
	assert_refused(BYTES(ROOT("&x;" OTHER)), "", "refers to an entity");
	assert_refused(BYTES(ROOT(OTHER "<a b='&x;'/>")), "", "refers to an entity");
	assert_refused(BYTES(ROOT(OTHER "<!DOCTYPE a>")), "", "syntax");
	assert_refused(BYTES(ROOT(OTHER "<!ENTITY a 'b'>")), "", "syntax");
}

static void put_many(struct buf *out, const char *what, int count)
{
	for (int i = 0; i < count; i++)
		buf_puts(out, what);
}

static void test_limits(void **state)
{
	struct buf xml = BUF_INIT(4 * 1024 * 1024);

	(void)state;
	buf_puts(&xml, "<Eventlog>" OTHER);
	for (int i = 1; i < 256; i++)
		buf_printf(&xml, "<k%d>%d</k%d>", i, i, i);
	buf_puts(&xml, "</Eventlog>");
	assert_same(xml.data, xml.len, "{\"EventId\":1}");
	buf_truncate(&xml, xml.len - strlen("</Eventlog>"));
	buf_puts(&xml, "<one-more/></Eventlog>");
	assert_refused(xml.data, xml.len, "", "too many elements");

	buf_reset(&xml);
	put_many(&xml, "<Eventlog>", 30000);
	assert_refused(xml.data, xml.len, "", "nested too deeply");

	buf_reset(&xml);
	buf_puts(&xml, "<Eventlog><");
	put_many(&xml, "x", 100000);
	buf_puts(&xml, "/>" OTHER "</Eventlog>");
	assert_refused(xml.data, xml.len, "", "name of an element is too long");

	buf_reset(&xml);
	buf_puts(&xml, "<Eventlog");
	for (int i = 0; i < 5000; i++)
		buf_printf(&xml, " a%d=\"%d\"", i, i);
	buf_puts(&xml, ">" OTHER "</Eventlog>");
	assert_same(xml.data, xml.len, "{\"EventId\":1}");

	buf_reset(&xml);
	buf_puts(&xml, "<Eventlog>" OTHER "<x>");
	for (int i = 0; i < 500000; i++)
		buf_putc(&xml, '\0');
	buf_puts(&xml, "</x></Eventlog>");
	assert_same(xml.data, xml.len, "{\"EventId\":1}");
	buf_free(&xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_fields_as_in_json),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_encodings_refused),
		cmocka_unit_test(test_kinds_of_fields_refused),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_other_roots),
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("event_xml", tests, NULL, NULL);
}

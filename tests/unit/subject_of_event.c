#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "provider/subject_of_event.h"
#include "provider/template.h"

#define COMMON                                                                    \
	"[events]\nauthenticate = none\n[escrow]\nurl = https://eg.example.com\n" \
	"identity = x.pfx\n[identity]\n"

static struct config *load(const char *identity, struct error *e)
{
	char path[] = "/tmp/certprov-subject-XXXXXX";
	struct config *config = NULL;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	fprintf(file, "%s%s", COMMON, identity);
	fclose(file);
	if (config_load(path, &config, e) == ERR_OK && subject_check_config(config, e) != ERR_OK) {
		config_free(config);
		config = NULL;
	}
	unlink(path);
	return config;
}

static struct event *event(const char *user, const char *mail)
{
	struct event *parsed = NULL;
	struct buf json = BUF_INIT(8192);
	struct error e;

	buf_puts(&json, "{\"EventId\":148,\"DeviceUUID\":\"f90f1abd-b914-4895-9b59-82e8aecf0e66\","
			"\"EnrollmentUserUUID\":\"fe13e814-7415-4fce-9f47-de5a55bfe57a\","
			"\"OrganizationGroupName\":\"CEG\",\"EnrollmentUserName\":");
	buf_json_string(&json, user);
	buf_puts(&json, ",\"EnrollmentEmailAddress\":");
	buf_json_string(&json, mail);
	buf_putc(&json, '}');
	assert_int_equal(event_parse(json.data, json.len, &parsed, &e), ERR_OK);
	buf_free(&json);
	return parsed;
}

/* The address that comes out, or "" with the error in *e. */
static const char *address_of(
	const char *identity, const char *user, const char *mail, struct error *e)
{
	static struct subject subject;
	struct config *config = load(identity, e);
	struct event *from = event(user, mail);
	enum err err;

	assert_non_null(config);
	err = subject_of_event(config, from, NULL, &subject, e);
	event_free(from);
	config_free(config);
	if (err)
		return "";
	return subject.address.text;
}

static void the_first_valid_address_is_taken(void **state)
{
	static const char both[] =
		"mail = {EnrollmentEmailAddress}, {EnrollmentUserName}@example.com\n";
	struct error e;

	(void)state;
	assert_string_equal(address_of(both, "zenny", "z@mail.example", &e), "z@mail.example");
	assert_string_equal(address_of(both, "zenny", "", &e), "zenny@example.com");
	assert_string_equal(address_of(both, "", "z@mail.example", &e), "z@mail.example");
	assert_string_equal(address_of(both, "zenny", "Z@EXAMPLE.COM", &e), "Z@example.com");
}

static void no_usable_address_is_refused(void **state)
{
	static const char both[] =
		"mail = {EnrollmentEmailAddress}, {EnrollmentUserName}@example.com\n";
	struct error e = {ERR_OK};

	(void)state;
	assert_string_equal(address_of("mail = {EnrollmentEmailAddress}\n", "zenny", "", &e), "");
	assert_int_equal(e.code, ERR_UNPROCESSABLE);
	assert_string_equal(e.field, "EnrollmentEmailAddress");
	assert_string_equal(address_of(both, "", "", &e), "");
	assert_int_equal(e.code, ERR_UNPROCESSABLE);
	assert_string_equal(address_of(both, "a b", "c d@e", &e), "");
	assert_int_equal(e.code, ERR_UNPROCESSABLE);
}

/* What is there and unusable is refused with its field, and nothing is guessed instead. */
static void an_unusable_address_gives_way_to_none(void **state)
{
	static const char rule[] = "mail = {EnrollmentEmailAddress}, "
				   "{EnrollmentUserName}@example.com, x@example.com\n";
	static const struct {
		const char *user, *mail, *field;
	} rows[] = {
		{"info", "Zoe Doe <zoe.doe@example.com>", "EnrollmentEmailAddress"},
		{"info", "SMTP:zoe.doe@example.com", "EnrollmentEmailAddress"},
		{"info", "zoe@example.com, zoe.doe@example.com", "EnrollmentEmailAddress"},
		{"info", "zoe@example.com;zoe.doe@example.com", "EnrollmentEmailAddress"},
		{"info", "zoe.doe@example.com.", "EnrollmentEmailAddress"},
		{"info",
			"zoe.doe\xef\xbc\xa0"
			"example.com",
			"EnrollmentEmailAddress"},
		{"info", "not-an-address", "EnrollmentEmailAddress"},
		{"info", "@", "EnrollmentEmailAddress"},
		{"info",
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example."
			"com",
			"EnrollmentEmailAddress"},
		{"zdoe@corp.example.com", "", "EnrollmentUserName"},
		{"CORP\\zdoe", "", "EnrollmentUserName"},
		{"Zoe Doe", "", "EnrollmentUserName"},
		{"zdoe%corp", "", "EnrollmentUserName"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = {ERR_OK};

		assert_string_equal(address_of(rule, rows[i].user, rows[i].mail, &e), "");
		assert_int_equal(e.code, ERR_UNPROCESSABLE);
		assert_string_equal(e.field, rows[i].field);
	}
}

/* A template that lacks a value is empty, unless it gives an address all the same. */
static void an_empty_template_gives_way(void **state)
{
	struct error e = {ERR_OK};

	(void)state;
	assert_string_equal(address_of("mail = {EnrollmentUserName}@{OrganizationGroupName}.x, "
				       "a@example.com\n",
				    "", "", &e),
		"a@example.com");
	assert_string_equal(address_of("mail = {EnrollmentUserName}.{Platform}@example.com, "
				       "a@example.com\n",
				    "z", "", &e),
		"a@example.com");
	assert_string_equal(
		address_of("mail = {EnrollmentUserName}{Platform}@example.com\n", "z", "", &e),
		"z@example.com");
	assert_string_equal(
		address_of("mail = {EnrollmentUserName}@example.com\n", "", "", &e), "");
	assert_int_equal(e.code, ERR_UNPROCESSABLE);
	assert_string_equal(e.field, "EnrollmentUserName");
}

/* Nothing is made of a field that lost something; one that is not used may lose what it likes. */
static void damaged_fields_are_refused_where_they_are_used(void **state)
{
	static const char by_mail[] = "mail = {EnrollmentEmailAddress}, x@example.com\n"
				      "subject = CN={mail}\nname = x\n";
	static const char by_name[] = "mail = {EnrollmentUserName}@example.com\n";
	static const struct {
		const char *identity, *user, *mail, *address, *field;
	} rows[] = {
		{by_mail, "z\xef\xbf\xbd", "z@example.com", "z@example.com", ""},
		{by_mail, "z", "z\xef\xbf\xbd@example.com", "", "EnrollmentEmailAddress"},
		{by_mail, "z", "z@example.com\xef\xbf\xbd", "", "EnrollmentEmailAddress"},
		{by_name, "z\xef\xbf\xbd", "", "", "EnrollmentUserName"},
		{by_name, "z", "\xef\xbf\xbd", "z@example.com", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = {ERR_OK};

		assert_string_equal(address_of(rows[i].identity, rows[i].user, rows[i].mail, &e),
			rows[i].address);
		assert_string_equal(*rows[i].address ? "" : e.field, rows[i].field);
		if (!*rows[i].address)
			assert_int_equal(e.code, ERR_UNPROCESSABLE);
	}
}

/* An address that is no string at all is there, too; what was cut never becomes another's. */
static void what_is_left_of_a_field_is_no_address(void **state)
{
	static const char rule[] = "mail = {EnrollmentEmailAddress}, x@example.com\n";
	struct error e = {ERR_OK};
	struct config *config = load(rule, &e);
	struct event *from = event("zenny", "");
	struct subject subject;

	(void)state;
	assert_non_null(config);
	from->damage[EVENT_ENROLLMENT_EMAIL_ADDRESS] = EVENT_LOST;
	assert_int_equal(subject_of_event(config, from, NULL, &subject, &e), ERR_UNPROCESSABLE);
	assert_string_equal(e.field, "EnrollmentEmailAddress");
	free(from->field[EVENT_ENROLLMENT_EMAIL_ADDRESS]);
	from->field[EVENT_ENROLLMENT_EMAIL_ADDRESS] = strdup("z@example.com");
	from->damage[EVENT_ENROLLMENT_EMAIL_ADDRESS] = EVENT_CUT;
	assert_int_equal(subject_of_event(config, from, NULL, &subject, &e), ERR_UNPROCESSABLE);
	assert_string_equal(e.field, "EnrollmentEmailAddress");
	from->damage[EVENT_ENROLLMENT_EMAIL_ADDRESS] = EVENT_WHOLE;
	from->damage[EVENT_ENROLLMENT_USER_NAME] = EVENT_CUT;
	assert_int_equal(subject_of_event(config, from, NULL, &subject, &e), ERR_OK);
	event_free(from);
	config_free(config);
}

static void only_allowed_domains(void **state)
{
	static const char rules[] = "mail = {EnrollmentEmailAddress}\n"
				    "allowed-domains = Example.com, xn--bcher-kva.example\n";
	struct error e = {ERR_OK};

	(void)state;
	assert_string_equal(address_of(rules, "z", "z@EXAMPLE.com", &e), "z@example.com");
	assert_string_equal(address_of(rules, "z",
				    "z@b\xc3\xbc"
				    "cher.example",
				    &e),
		"z@xn--bcher-kva.example");
	assert_string_equal(address_of(rules, "z", "z@evil.example", &e), "");
	assert_int_equal(e.code, ERR_UNPROCESSABLE);
	assert_string_equal(address_of(rules, "z", "z@example.com.evil.example", &e), "");
	assert_string_equal(address_of(rules, "z", "z@notexample.com", &e), "");
}

/* What the subject says of a user name, or -1: refused. */
static int subject_of(const char *user, struct name *out)
{
	struct error e;
	struct config *config = load(
		"mail = z@example.com\nsubject = CN={name},OU={OrganizationGroupName},O=Ex\n", &e);
	struct event *from = event(user, "");
	struct subject subject = {0};
	enum err err;

	assert_non_null(config);
	err = subject_of_event(config, from, NULL, &subject, &e);
	if (err) {
		assert_int_equal(err, ERR_UNPROCESSABLE);
		assert_string_equal(e.field, "EnrollmentUserName");
	}
	*out = subject.name;
	event_free(from);
	config_free(config);
	return err ? -1 : 0;
}

static void names_are_taken_literally(void **state)
{
	static const char *const hostile[] = {"x,O=Evil", "x+O=Evil", "x\\,O=Evil", "#0c0178",
		"\"x\",O=Evil", "CN=y", "{mail}", "x=y;z", "o'brien",
		"J\xc3\xb6rg \xf0\x9f\x98\x80"};
	struct name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		assert_int_equal(subject_of(hostile[i], &name), 0);
		assert_int_equal(name.count, 3);
		assert_string_equal(name.attribute[0].value, "Ex");
		assert_string_equal(name.attribute[1].value, "CEG");
		assert_string_equal(name.attribute[2].value, hostile[i]);
	}
}

static void names_that_deceive_are_refused(void **state)
{
	static const char *const hostile[] = {"a\nb", "a\r\nb", "a\x1b[31m",
		"abc\xe2\x80\xae"
		"gpj",
		"a\xe2\x80\x8b"
		"b",
		"a\x7f"};
	struct name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		assert_int_equal(subject_of(hostile[i], &name), -1);
}

static void the_address_stands_for_an_empty_name(void **state)
{
	struct name name;

	(void)state;
	assert_int_equal(subject_of("", &name), 0);
	assert_int_equal(name.count, 3);
	assert_string_equal(name.attribute[2].value, "z@example.com");
}

static void another_address_is_taken_with_the_event_s_name(void **state)
{
	struct error e;
	struct config *config = load("mail = {EnrollmentEmailAddress}\n"
				     "subject = CN={name},O={mail}\n"
				     "allowed-domains = example.com\n",
		&e);
	struct event *from = event("zenny", "");
	struct subject subject;

	(void)state;
	assert_non_null(config);
	assert_int_equal(subject_with_address(config, from, "z@example.com", &subject, &e), ERR_OK);
	assert_string_equal(subject.address.text, "z@example.com");
	assert_string_equal(subject.name.attribute[0].value, "z@example.com");
	assert_string_equal(subject.name.attribute[1].value, "zenny");
	assert_int_equal(subject_with_address(config, from, "z@example.org", &subject, &e),
		ERR_UNPROCESSABLE);
	assert_string_equal(e.field, "EnrollmentEmailAddress");
	event_free(from);
	config_free(config);
}

/* The address of a known user: before a later template, after what the first one gives. */
static void a_known_address_comes_before_a_guess(void **state)
{
	struct error e;
	struct config *config =
		load("mail = {EnrollmentEmailAddress}, {EnrollmentUserName}@x.org\n", &e);
	struct event *without = event("zenny", ""), *with = event("zenny", "new@example.com");
	struct subject subject;

	(void)state;
	assert_non_null(config);
	assert_int_equal(subject_of_event(config, without, "z@example.com", &subject, &e), ERR_OK);
	assert_string_equal(subject.address.text, "z@example.com");
	assert_int_equal(subject_of_event(config, without, NULL, &subject, &e), ERR_OK);
	assert_string_equal(subject.address.text, "zenny@x.org");
	assert_int_equal(subject_of_event(config, with, "z@example.com", &subject, &e), ERR_OK);
	assert_string_equal(subject.address.text, "new@example.com");
	event_free(without);
	event_free(with);
	config_free(config);
}

static void templates_are_checked_at_start(void **state)
{
	static const struct {
		const char *identity, *says;
	} wrong[] = {
		{"mail = {EnrolmentUserName}@example.com\n",
			":7: [identity] mail: {EnrolmentUserName} is no"},
		{"mail = {EnrollmentUserName@example.com\n", ":7: [identity] mail: a brace"},
		{"mail = {mail}\n", ":7: [identity] mail: {mail} is no known field"},
		{"name = {name}\n", ":7: [identity] name: {name} is no known field"},
		{"mail = a@b.example\nsubject = CN={nam}\n", ":8: [identity] subject: {nam} is no"},
		{"subject = CN\n", ":7: [identity] subject: "},
		{"subject = XX={name}\n", ":7: [identity] subject: "},
	};
	struct error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_null(load(wrong[i].identity, &e));
		assert_int_equal(e.code, ERR_CONFIG);
		if (!strstr(e.text, wrong[i].says))
			fail_msg("\"%s\" does not say \"%s\"", e.text, wrong[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_valid_address_is_taken),
		cmocka_unit_test(no_usable_address_is_refused),
		cmocka_unit_test(an_unusable_address_gives_way_to_none),
		cmocka_unit_test(an_empty_template_gives_way),
		cmocka_unit_test(damaged_fields_are_refused_where_they_are_used),
		cmocka_unit_test(what_is_left_of_a_field_is_no_address),
		cmocka_unit_test(only_allowed_domains),
		cmocka_unit_test(names_are_taken_literally),
		cmocka_unit_test(names_that_deceive_are_refused),
		cmocka_unit_test(the_address_stands_for_an_empty_name),
		cmocka_unit_test(another_address_is_taken_with_the_event_s_name),
		cmocka_unit_test(a_known_address_comes_before_a_guess),
		cmocka_unit_test(templates_are_checked_at_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

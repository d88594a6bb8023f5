/* Findings of the doctor: what was found and the fix, apart; the failure that decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/finding.h"

/* The last finding, its texts copied. */
struct told {
	enum severity severity;
	enum err err;
	char about[64], found[256], fix[256], text[512];
	bool has_fix;
};

static void tell(void *ctx, const struct finding *finding)
{
	struct told *told = ctx;
	struct buf text = BUF_INIT(4096);

	finding_text(finding, &text);
	*told = (struct told){.severity = finding->severity, .err = finding->err};
	told->has_fix = finding->fix;
	snprintf(told->about, sizeof(told->about), "%s", finding->about);
	snprintf(told->found, sizeof(told->found), "%s", finding->found);
	snprintf(told->fix, sizeof(told->fix), "%s", finding->fix ? finding->fix : "");
	snprintf(told->text, sizeof(told->text), "%s", text.data);
	buf_free(&text);
}

static void fix_is_apart(void **state)
{
	struct told told;
	struct check c = {.report = tell, .ctx = &told};

	(void)state;
	finding_warn(&c, "disk", "%d MB are left" FIX "make room on %s", 3, "/var");
	assert_int_equal(told.severity, SEVERITY_WARNING);
	assert_int_equal(told.err, ERR_OK);
	assert_string_equal(told.about, "disk");
	assert_string_equal(told.found, "3 MB are left");
	assert_string_equal(told.fix, "make room on /var");
	assert_string_equal(told.text, "3 MB are left: make room on /var");
	finding_good(&c, "disk", "300 MB (%d %%) are left", 5);
	assert_int_equal(told.severity, SEVERITY_GOOD);
	assert_false(told.has_fix);
	assert_string_equal(told.text, "300 MB (5 %) are left");
	assert_int_equal(c.faults, 1);
	assert_int_equal(c.worst, ERR_OK);
}

static void error_is_not_named_twice(void **state)
{
	struct told told;
	struct check c = {.report = tell, .ctx = &told};
	struct error e;

	(void)state;
	(void)error_set(&e, ERR_CONFIG, "CA: no key: name one");
	finding_error(&c, "CA", &e);
	assert_int_equal(told.severity, SEVERITY_FAILURE);
	assert_int_equal(told.err, ERR_CONFIG);
	assert_string_equal(told.text, "no key: name one");
	finding_error(&c, "CA signing", &e);
	assert_string_equal(told.text, "CA: no key: name one");
	finding_result(&c, "CA", ERR_OK, &e, "it answers");
	assert_int_equal(told.severity, SEVERITY_GOOD);
	assert_string_equal(told.text, "it answers");
	finding_result(&c, "CA", ERR_CONFIG, &e, "it answers");
	assert_string_equal(told.text, "no key: name one");
	assert_int_equal(c.faults, 3);
}

/* What may pass by itself decides only as long as nothing needs a person. */
static void first_fault_for_a_person_decides(void **state)
{
	struct told told;
	struct check c = {.report = tell, .ctx = &told};

	(void)state;
	finding_warn(&c, "a", "warns");
	assert_int_equal(c.worst, ERR_OK);
	finding_fail(&c, "a", ERR_UNAVAILABLE, "is away");
	assert_int_equal(c.worst, ERR_UNAVAILABLE);
	finding_fail(&c, "a", ERR_REFUSED, "says no");
	assert_int_equal(c.worst, ERR_REFUSED);
	finding_fail(&c, "a", ERR_CONFIG, "is wrong");
	finding_fail(&c, "a", ERR_UNAVAILABLE, "is away");
	finding_good(&c, "a", "is good");
	assert_int_equal(c.worst, ERR_REFUSED);
	assert_int_equal(c.faults, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fix_is_apart),
		cmocka_unit_test(error_is_not_named_twice),
		cmocka_unit_test(first_fault_for_a_person_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

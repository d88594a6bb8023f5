/* Suggestions for misspelled words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/did_you_mean.h"

static const char *const words[] = {
	"users-file", "authenticate", "max-body", "url", "list", "init", "check", "rekey", "renew"};

static struct did_you_mean nearest_of(const char *word)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(word);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		did_you_mean_try(&nearest, words[i]);
	return nearest;
}

static void test_near(void **state)
{
	static const struct {
		const char *word, *name;
		size_t distance;
	} cases[] = {
		{"usres-file", "users-file", 1},  /* swapped */
		{"user-file", "users-file", 1},	  /* left out */
		{"userss-file", "users-file", 1}, /* put in */
		{"users_file", "users-file", 1},  /* replaced */
		{"Users-File", "users-file", 0},  /* in another case */
		{"userfile", "users-file", 2},	  /* two left out */
		{"athentciate", "authenticate", 2},
		{"uri", "url", 1},
		{"lsit", "list", 1},
		{"rekye", "rekey", 1},
		{"renwe", "renew", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct did_you_mean nearest = nearest_of(cases[i].word);

		assert_non_null(nearest.name);
		assert_string_equal(nearest.name, cases[i].name);
		assert_int_equal(nearest.distance, cases[i].distance);
	}
}

/* A bad suggestion would mislead. */
static void test_far(void **state)
{
	static const char *const others[] = {"", "u", "nonsense", "urls are long", "lost+found",
		"il", "file", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_null(nearest_of(others[i]).name);
}

static void test_first_of_equals(void **state)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT("rene");

	(void)state;
	did_you_mean_try(&nearest, "renew");
	did_you_mean_try(&nearest, "renet");
	assert_string_equal(nearest.name, "renew");
	did_you_mean_try(&nearest, "rene");
	assert_string_equal(nearest.name, "rene");
}

static void test_text(void **state)
{
	char text[DID_YOU_MEAN_TEXT_SIZE];
	struct did_you_mean nearest = nearest_of("usres-file");

	(void)state;
	assert_string_equal(did_you_mean_text(&nearest, text), ": did you mean users-file?");
	nearest = nearest_of("nonsense");
	assert_string_equal(did_you_mean_text(&nearest, text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_first_of_equals),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

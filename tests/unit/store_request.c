/* Requests to external CAs: leased, added, released and dropped. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
static const struct credential_owner device = {USAGE_SIGNING, USER_A, DEVICE_1};

static void must_release(
	struct fixture *f, const struct store_request *r, const struct store_pending *pending)
{
	if (store_request_release(f->store, r, pending, &f->e))
		fail_msg("store_request_release: %s", f->e.text);
}

/* The request that is leased has the key of that number. */
static void assert_taken(struct fixture *f, const struct store_asking *wish, unsigned number)
{
	struct store_request r;

	assert_int_equal(must_lease(f, wish, &r), REQUEST_TAKEN);
	assert_request(&r, number);
	must_release(f, &r, NULL);
	store_request_fini(&r);
}

static void add_released(struct fixture *f, const struct store_asking *wish, unsigned number,
	const struct store_pending *pending)
{
	struct store_request r;

	assert_true(must_add_request(f, wish, number, &r));
	must_release(f, &r, pending);
	store_request_fini(&r);
}

static void set_until(struct fixture *f, int64_t until)
{
	char text[64];

	snprintf(text, sizeof(text), "UPDATE request SET until = %lld", (long long)until);
	sql(f, text);
}

static int64_t audited(struct fixture *f, const char *action, const char *detail)
{
	char text[512];

	snprintf(text, sizeof(text),
		"SELECT count(*) FROM audit WHERE action = '%s' AND detail = '%s'", action, detail);
	return sql_integer(f, text);
}

static int64_t audit_count(struct fixture *f)
{
	return sql_integer(f, "SELECT count(*) FROM audit");
}

/* --- in hand */

static void is_the_same_until_it_is_answered(void **state)
{
	struct fixture *f = *state;
	struct store_asking wish = asking(&owner);
	struct store_request r, other;
	int64_t before = clock_now();

	assert_int_equal(must_lease(f, &wish, &r), REQUEST_NONE);
	assert_true(must_add_request(f, &wish, 1, &r));
	assert_true(r.id > 0);
	assert_true(r.until >= before + 60 && r.until <= clock_now() + 60);
	assert_string_equal(r.user_uuid, USER_A);
	assert_int_equal(must_lease(f, &wish, &other), REQUEST_BUSY);
	assert_false(must_add_request(f, &wish, 2, &other));
	store_request_fini(&other);
	must_release(f, &r, NULL);
	store_request_fini(&r);
	store_close(f->store);
	must_open(f);
	assert_taken(f, &wish, 1);
	assert_taken(f, &wish, 1);
	/* Another owner has none. */
	wish = asking(&device);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_NONE);
	assert_int_equal(audit_count(f), 0);
}

static void goes_with_the_credential_that_came_of_it(void **state)
{
	struct fixture *f = *state;
	struct store_asking wish = asking(&owner);
	const struct store_pending pending = {"4711", 0};
	struct store_request r;
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_A, "", 1);
	struct store_place place = {.action = AUDIT_ISSUED};
	bool won = false;

	add_released(f, &wish, 1, &pending);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	place.request = r.id;
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_OK);
	assert_true(won);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM request"), 0);
	assert_int_equal(audit_count(f), 2); /* requested, issued */
	/* To release or drop it late is no error. */
	must_release(f, &r, &pending);
	assert_int_equal(store_request_drop(f->store, &r, &f->e), ERR_OK);
	assert_int_equal(audit_count(f), 2);
	store_request_fini(&r);
	/* A request that was to replace another credential is not made any more. */
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_SETTLED);
	assert_false(must_add_request(f, &wish, 2, &r));
	store_request_fini(&r);
	wish.replaces = c.id;
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_NONE);
	assert_true(must_add_request(f, &wish, 3, &r));
	store_request_fini(&r);
}

static enum request_lease misread_again(
	struct fixture *f, const struct store_asking *wish, const char *handle, int64_t count)
{
	const struct store_misread misread = {handle, wish->inputs, count};
	struct store_request r = {.id = 0};
	enum request_lease how = must_lease(f, wish, &r);

	if (how == REQUEST_TAKEN) {
		assert_int_equal(r.misread, count - 1);
		assert_int_equal(store_request_misread(f->store, &r, &misread, &f->e), ERR_OK);
	}
	store_request_fini(&r);
	return how;
}

/* Each try may have issued one more certificate. */
static void waits_for_a_person_when_not_understood(void **state)
{
	struct fixture *f = *state;
	struct store_asking wish = asking(&owner);
	const struct store_pending pending = {"4711", 0};
	struct store_request r;

	add_released(f, &wish, 1, NULL);
	for (int64_t i = 1; i <= STORE_MISREAD_MAX; i++)
		assert_int_equal(misread_again(f, &wish, "", i), REQUEST_TAKEN);
	assert_int_equal(misread_again(f, &wish, "", 0), REQUEST_MISREAD);
	assert_int_equal(misread_again(f, &wish, "", 0), REQUEST_MISREAD);
	/* A person has changed something, and later asks for it. */
	wish.inputs = "others";
	assert_int_equal(misread_again(f, &wish, "17", 1), REQUEST_TAKEN);
	assert_string_equal(sql_texts(f, "SELECT handle FROM request"), "17");
	assert_int_equal(misread_again(f, &wish, "", 2), REQUEST_TAKEN);
	assert_int_equal(misread_again(f, &wish, "", 3), REQUEST_TAKEN);
	assert_string_equal(sql_texts(f, "SELECT handle FROM request"), "17");
	assert_int_equal(misread_again(f, &wish, "", 0), REQUEST_MISREAD);
	wish.run = "one";
	for (int64_t i = 1; i <= STORE_MISREAD_MAX; i++)
		assert_int_equal(misread_again(f, &wish, "", i), REQUEST_TAKEN);
	assert_int_equal(misread_again(f, &wish, "", 0), REQUEST_MISREAD);
	wish.run = "two";
	assert_int_equal(misread_again(f, &wish, "", 1), REQUEST_TAKEN);
	wish.run = NULL;
	assert_int_equal(misread_again(f, &wish, "", 2), REQUEST_TAKEN);
	/* An answer that is understood starts the count anew. */
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	must_release(f, &r, &pending);
	store_request_fini(&r);
	assert_int_equal(misread_again(f, &wish, "", 1), REQUEST_TAKEN);
	assert_int_equal(
		audited(f, "requested", "encryption request 4711: the CA has not decided yet"), 1);
}

/* For example from another CA, or by hand. */
static void goes_when_there_is_another_credential(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner), others = asking(&device);
	const struct store_pending pending = {"4711", 0};

	add_released(f, &wish, 1, &pending);
	add_released(f, &others, 2, &pending);
	assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", 1, 0));
	assert_int_equal(
		audited(f, "dropped", "encryption request 4711: there is another certificate"), 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM request"), 1);
	assert_taken(f, &others, 2);
	/* A process that loses removes nothing. */
	assert_false(must_add(f, USAGE_ENCRYPTION, USER_A, "", 2, 0));
	assert_taken(f, &others, 2);
}

static void is_free_again_when_its_holder_has_died(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner);
	const struct store_pending pending = {"late", 0};
	struct store_request dead, r, other;

	assert_true(must_add_request(f, &wish, 1, &dead));
	dead.until = clock_now();
	set_until(f, dead.until);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	assert_request(&r, 1);
	assert_true(r.until > dead.until);
	/* The process was only slow: its answer is stored, but the lease is no longer its own. */
	must_release(f, &dead, &pending);
	assert_int_equal(must_lease(f, &wish, &other), REQUEST_BUSY);
	must_release(f, &r, NULL);
	store_request_fini(&r);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	assert_string_equal(r.handle, "late");
	store_request_fini(&r);
	store_request_fini(&dead);
}

static void never_gets_the_id_of_another(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner);
	struct store_request first, second, other;

	assert_true(must_add_request(f, &wish, 1, &first));
	assert_int_equal(store_request_drop(f->store, &first, &f->e), ERR_OK);
	assert_true(must_add_request(f, &wish, 2, &second));
	assert_true(second.id > first.id);
	must_release(f, &first, NULL);
	assert_int_equal(store_request_drop(f->store, &first, &f->e), ERR_OK);
	assert_int_equal(must_lease(f, &wish, &other), REQUEST_BUSY);
	store_request_fini(&first);
	store_request_fini(&second);
}

/* --- what the CA says */

static void waits_as_long_as_the_ca_asks(void **state)
{
	struct fixture *f = *state;
	struct store_asking wish = asking(&owner);
	int64_t next_at = clock_now() + 80000; /* most of a day */
	const struct store_pending first = {"4711", next_at}, again = {"", 0};
	struct store_request r;

	add_released(f, &wish, 1, &first);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_EARLY);
	assert_int_equal(r.next_at, next_at);
	assert_null(r.key.data);
	wish.now = true;
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	assert_string_equal(r.handle, "4711");
	must_release(f, &r, &again);
	store_request_fini(&r);
	wish.now = false;
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_TAKEN);
	assert_string_equal(r.handle, "4711");
	store_request_fini(&r);
	/* Once, however often it is asked for. */
	assert_int_equal(
		audited(f, "requested", "encryption request 4711: the CA has not decided yet"), 1);
	assert_int_equal(audit_count(f), 1);
}

static void trusts_no_time_from_a_wrong_clock(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner);
	const struct store_pending pending = {"", clock_now() + 1000000};
	struct store_request r;

	add_released(f, &wish, 1, &pending);
	assert_taken(f, &wish, 1);
	set_until(f, clock_now() + 1000000);
	assert_taken(f, &wish, 1);
	set_until(f, clock_now() + 100);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_BUSY);
}

static void goes_when_it_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&device);
	const struct store_pending pending = {"", 0};
	struct store_request r;

	assert_true(must_add_request(f, &wish, 1, &r));
	must_release(f, &r, &pending);
	assert_int_equal(audited(f, "requested", "signing request: the CA has not decided yet"), 1);
	assert_int_equal(store_request_drop(f->store, &r, &f->e), ERR_OK);
	assert_int_equal(audited(f, "dropped", "signing request: the CA refused it"), 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM audit WHERE device_uuid = '" DEVICE_1
					"' AND user_uuid = '" USER_A "'"),
		2);
	store_request_fini(&r);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_NONE);
	/* One that was refused at once was never in the audit trail. */
	assert_true(must_add_request(f, &wish, 2, &r));
	assert_int_equal(store_request_drop(f->store, &r, &f->e), ERR_OK);
	assert_int_equal(audit_count(f), 2);
	store_request_fini(&r);
}

static void goes_when_something_else_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct store_asking wish = asking(&owner);
	const struct store_pending pending = {"4711", clock_now() + 1000};
	struct store_request r, other;

	assert_true(must_add_request(f, &wish, 1, &r));
	wish.terms = "other terms";
	/* Not while another process is sending it. */
	assert_int_equal(must_lease(f, &wish, &other), REQUEST_BUSY);
	must_release(f, &r, &pending);
	store_request_fini(&r);
	assert_int_equal(must_lease(f, &wish, &r), REQUEST_NONE);
	assert_int_equal(
		audited(f, "dropped", "encryption request 4711: another one is made in its place"),
		1);
	assert_true(must_add_request(f, &wish, 2, &r));
	must_release(f, &r, NULL);
	store_request_fini(&r);
	assert_taken(f, &wish, 2);
}

static void is_counted_while_its_device_is_there(void **state)
{
	struct fixture *f = *state;
	const struct store_asking of_user = asking(&owner), of_device = asking(&device);
	const struct store_pending pending = {"1", 0};
	struct store_event event = enrolled(DEVICE_1, USER_A);
	struct store_counts counts;

	must_add_event(f, &event);
	assert_int_equal(store_count(f->store, 0, &counts, &f->e), ERR_OK);
	assert_int_equal(counts.requests_pending, 0);
	assert_int_equal(counts.oldest_request, 0);
	add_released(f, &of_user, 1, &pending);
	add_released(f, &of_device, 2, NULL);
	assert_int_equal(store_count(f->store, 0, &counts, &f->e), ERR_OK);
	assert_int_equal(counts.requests, 2);
	assert_int_equal(counts.requests_pending, 1);
	assert_true(counts.oldest_request > 0 && counts.oldest_request <= clock_now());
	sql(f, "UPDATE request SET pending_at = 7 WHERE usage = 'signing'");
	assert_int_equal(store_count(f->store, 0, &counts, &f->e), ERR_OK);
	assert_int_equal(counts.requests_pending, 2);
	assert_int_equal(counts.oldest_request, 7);
	/* Another device is left. */
	sql(f, "UPDATE device SET device_uuid = '" DEVICE_2 "'");
	assert_int_equal(store_count(f->store, 0, &counts, &f->e), ERR_OK);
	assert_int_equal(counts.requests_pending, 1);
	sql(f, "UPDATE device SET state = 'unenrolled'");
	assert_int_equal(store_count(f->store, 0, &counts, &f->e), ERR_OK);
	assert_int_equal(counts.requests_pending, 0);
	assert_int_equal(counts.oldest_request, 0);
	assert_int_equal(counts.requests, 2);
}

/* --- the key */

static void keeps_its_key_sealed(void **state)
{
	struct fixture *f = *state;
	const struct store_asking wish = asking(&owner);
	struct store_request r;
	struct blob sealed;

	assert_true(must_add_request(f, &wish, 1, &r));
	sealed = sql_blob(f, "SELECT key FROM request");
	assert_true(sealed.len > r.key.len);
	assert_null(memmem(sealed.data, sealed.len, r.key.data, r.key.len));
	blob_free(&sealed);
	store_request_fini(&r);
}

static void refuses_a_row_that_was_altered(void **state)
{
	static const char *const changes[] = {
		"UPDATE request SET key = (SELECT key FROM request WHERE usage = 'signing')"
		" WHERE usage = 'encryption'",
		"UPDATE request SET request = $1 WHERE usage = 'encryption'",
		"UPDATE request SET terms = 'other' WHERE usage = 'encryption'",
		"UPDATE request SET user_uuid = '" USER_B "' WHERE usage = 'encryption'",
		"UPDATE request SET key = substr(key, 1, 0) WHERE usage = 'encryption'",
	};
	struct fixture *f = *state;
	const struct store_asking other = asking(&device);

	add_released(f, &other, 99, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
		struct credential_owner whose = {USAGE_ENCRYPTION, i == 3 ? USER_B : USER_A, ""};
		struct store_asking wish = asking(&owner);
		enum request_lease how = REQUEST_EARLY;
		struct store_request r = {.id = 0};

		add_released(f, &wish, i, NULL);
		sql(f, changes[i]);
		wish.owner = &whose;
		wish.terms = i == 2 ? "other" : "terms";
		assert_int_equal(store_request_lease(f->store, &wish, &how, &r, &f->e), ERR_CONFIG);
		assert_non_null(strstr(f->e.text, "private key of request"));
		assert_int_equal(how, REQUEST_EARLY);
		assert_int_equal(r.id, 0);
		/* And it is not leased. */
		assert_int_equal(sql_integer(f, "SELECT max(until) FROM request"), 0);
		sql(f, "DELETE FROM request WHERE usage = 'encryption'");
	}
	assert_taken(f, &other, 99);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(is_the_same_until_it_is_answered),
		TEST(goes_with_the_credential_that_came_of_it),
		TEST(waits_for_a_person_when_not_understood),
		TEST(goes_when_there_is_another_credential),
		TEST(is_free_again_when_its_holder_has_died),
		TEST(never_gets_the_id_of_another),
		TEST(waits_as_long_as_the_ca_asks),
		TEST(trusts_no_time_from_a_wrong_clock),
		TEST(goes_when_it_is_refused),
		TEST(goes_when_something_else_is_asked_for),
		TEST(is_counted_while_its_device_is_there),
		TEST(keeps_its_key_sealed),
		TEST(refuses_a_row_that_was_altered),
	};

	return cmocka_run_group_tests_name("store_request", tests, NULL, NULL);
}

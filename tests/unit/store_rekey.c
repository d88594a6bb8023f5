/* A new master key, while other processes use the store. */
#include "rekey_tools.h"

#include <sys/stat.h>

static void keep_copy(struct fixture *f, char path[400])
{
	struct blob key = must_read(f->key_file);

	snprintf(path, 400, "%s.old", f->key_file);
	unlink(path);
	assert_int_equal(file_create(path, 0600, key.data, key.len, &f->e), ERR_OK);
	blob_free(&key);
}

static void seals_all_keys_anew(void **state)
{
	struct fixture *f = *state;
	struct blob before = must_read(f->key_file), after;
	struct rekey_tally tally;
	struct stat st;
	char old[400];

	add_keys(f, 1, MANY);
	add_requests(f);
	keep_copy(f, old);
	assert_int_equal(chmod(f->key_file, 0640), 0);
	tally = must_rekey(f);
	assert_int_equal(tally.total, MANY + 2);
	assert_int_equal(tally.done, MANY + 2);
	assert_int_equal(tally.sealed, MANY + 2);
	assert_int_equal(tally.failed, 0);
	after = must_read(f->key_file);
	assert_int_equal(after.len, before.len);
	assert_memory_not_equal(after.data, before.data, before.len);
	assert_int_equal(stat(f->key_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_keys_anew(f, MANY);
	assert_asks(f, f->store);
	assert_intact(f);

	f->config.store.key_file = old;
	must_fail_open(f, ERR_CONFIG, "is not the master key");
	f->config.store.key_file = f->key_file;
	blob_free(&before);
	blob_free(&after);
}

static void works_on_a_store_without_keys(void **state)
{
	struct fixture *f = *state;
	struct rekey_tally tally = must_rekey(f);

	assert_int_equal(tally.total, 0);
	assert_int_equal(tally.sealed, 0);
	assert_int_equal(keys_in_file(f), 1);
	add_keys(f, 1, 2);
	assert_keys_anew(f, 2);
}

static void renews_the_other_sealed_values(void **state)
{
	struct fixture *f = *state;
	unsigned char secret[] = "a secret";
	struct blob plain = {secret, sizeof(secret)}, sealed = {NULL, 0}, out = {NULL, 0};
	struct seal *seal = NULL;

	assert_int_equal(seal_open_file(f->key_file, &seal, &f->e), ERR_OK);
	assert_int_equal(seal_close_blob(seal, &plain, "meta: audit key", &sealed, &f->e), ERR_OK);
	seal_close(seal);
	sql_with(f, "UPDATE meta SET value = $1 WHERE name = 'audit-key'", &sealed);
	blob_free(&sealed);

	must_rekey(f);
	assert_int_equal(seal_open_file(f->key_file, &seal, &f->e), ERR_OK);
	sealed = sql_blob(f, "SELECT value FROM meta WHERE name = 'audit-key'");
	if (seal_open_blob(seal, &sealed, "meta: audit key", &out, &f->e))
		fail_msg("%s", f->e.text);
	assert_true(blob_equal(&out, &plain));
	blob_free(&out);
	blob_free(&sealed);
	seal_close(seal);
}

static void reports_a_key_that_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct rekey_tally tally;

	add_keys(f, 1, 5);
	sql(f, "UPDATE credential SET key = $1 WHERE id IN (2, 5)");
	tally = must_rekey(f);
	assert_int_equal(tally.done, 5);
	assert_int_equal(tally.sealed, 3);
	assert_int_equal(tally.failed, 2);
	assert_non_null(strstr(reported, "private key of the certificate with serial 0"));
	/* No key is dropped: one of the earlier ones may open it. */
	assert_int_equal(keys_in_file(f), 2);
	sql(f, "UPDATE credential SET usage = 'encryption', key ="
	       " (SELECT key FROM credential WHERE id = 1) WHERE id = 2");
	tally = must_rekey(f);
	assert_int_equal(tally.sealed, 0);
	assert_int_equal(tally.failed, 2); /* the key of another row does not open */
	add_requests(f);
	sql(f, "UPDATE request SET key = (SELECT key FROM request WHERE id = 2) WHERE id = 1");
	tally = must_rekey(f);
	assert_int_equal(tally.failed, 3);
	assert_non_null(strstr(reported, "private key of request 1 to the CA"));
}

static void needs_the_right_key_file(void **state)
{
	struct fixture *f = *state;
	const struct rekey_options options = {.report = report};
	struct rekey_tally tally = {.total = 7};
	struct blob before, after;
	char old[400];

	add_keys(f, 1, 1);
	keep_copy(f, old);
	must_rekey(f);
	before = must_read(old);
	f->config.store.key_file = old;
	assert_int_equal(store_rekey(&f->config, &options, &tally, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, "is not the master key"));
	assert_int_equal(tally.total, 0);
	after = must_read(old);
	assert_true(blob_equal(&before, &after));
	blob_free(&before);
	blob_free(&after);

	assert_int_equal(unlink(old), 0);
	assert_int_equal(store_rekey(&f->config, &options, &tally, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, old));
	assert_non_null(strstr(f->e.text, "there is no master key here"));
	f->config.store.key_file = f->key_file;
	assert_keys_anew(f, 1);
}

/* --- beside others */

struct meanwhile {
	struct fixture *f;
	struct store *other; /* open since before it began */
	unsigned count, calls;
};

static void work_meanwhile(void *ctx, const struct rekey_tally *tally)
{
	struct meanwhile *m = ctx;
	const struct rekey_options options = {.report = report};
	struct rekey_tally ignored;
	struct store *fresh = NULL;

	(void)tally;
	m->calls++;
	/* A process that only has the old key writes and reads. */
	m->f->store = m->other;
	add_keys(m->f, m->count + 1, 1);
	m->count++;
	assert_keys(m->f, m->other, m->count);
	/* So does a process that opens the store now. */
	assert_int_equal(store_open(&m->f->config, &fresh, &m->f->e), ERR_OK);
	assert_int_equal(store_key_count(fresh), 2);
	assert_keys(m->f, fresh, m->count);
	store_close(fresh);
	/* But another rekey must wait. */
	assert_int_equal(store_rekey(&m->f->config, &options, &ignored, &m->f->e), ERR_UNAVAILABLE);
	assert_non_null(strstr(m->f->e.text, "another certprov rekey"));
}

static void others_work_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct meanwhile m = {f, f->store, MANY, 0};
	const struct rekey_options options = {
		.report = report, .progress = work_meanwhile, .ctx = &m};
	struct rekey_tally tally;

	add_keys(f, 1, MANY);
	if (store_rekey(&f->config, &options, &tally, &f->e))
		fail_msg("%s", f->e.text);
	/* 200, 200, and the last 50 with the two that were added meanwhile. */
	assert_int_equal(m.calls, 3);
	assert_int_equal(tally.done, MANY + 2);
	assert_int_equal(tally.sealed, MANY);
	assert_keys_anew(f, MANY + 3);
}

static void an_old_hand_reads_and_writes_afterwards(void **state)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	struct fixture *f = *state;
	const struct store_earlier earlier = {
		.user_uuid = USER_A, .device_uuid = DEVICE_1, .encrypts = true, .max = 9};
	struct store *reader = NULL, *lister = NULL;
	struct credential current = {.id = 0}, *archived = NULL;
	struct store *claimer = NULL;
	size_t count = 0, left_out = 0;

	add_keys(f, 1, 3);
	add_requests(f);
	assert_int_equal(store_open(&f->config, &reader, &f->e), ERR_OK);
	assert_int_equal(store_open(&f->config, &lister, &f->e), ERR_OK);
	assert_int_equal(store_open(&f->config, &claimer, &f->e), ERR_OK);
	must_rekey(f);
	must_rekey(f);
	/* Each of the four operations is the first one of its process after the change. */
	assert_true(must_add(f, USAGE_SIGNING, USER_A, DEVICE_1, 9, 0));
	assert_int_equal(store_credential_current(reader, &owner, &current, &f->e), ERR_OK);
	assert_key(&current, 3);
	credential_fini(&current);
	assert_int_equal(
		store_credential_archived(lister, &earlier, &archived, &count, &left_out, &f->e),
		ERR_OK);
	assert_int_equal(count, 2);
	credentials_free(archived, count);
	assert_asks(f, claimer);
	store_close(claimer);
	store_close(lister);
	store_close(reader);
	assert_int_equal(must_rekey(f).sealed, 4 + 2);
}

/* A credential sealed under the old key would be lost: it is not stored. */
static void an_old_key_seals_no_more(void **state)
{
	struct fixture *f = *state;
	struct credential_text text;
	struct credential c = credential(&text, USAGE_ENCRYPTION, USER_B, "", 7);
	const struct store_place place = {.action = AUDIT_ISSUED};
	const struct store_asking wish = asking(&asker);
	struct store_request r = {.key = c.key, .request = c.chain};
	bool won = false;
	char old[400], new[400];

	add_keys(f, 1, 1);
	keep_copy(f, old);
	must_rekey(f);
	snprintf(new, sizeof(new), "%s.renewed", f->key_file);
	assert_int_equal(rename(f->key_file, new), 0);
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, "there is no master key here"));
	assert_int_equal(rename(old, f->key_file), 0);
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_CONFIG);
	assert_non_null(strstr(f->e.text, "is not the master key"));
	assert_int_equal(store_request_add(f->store, &wish, &r, &won, &f->e), ERR_CONFIG);
	assert_false(won);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM credential"), 1);
	assert_int_equal(sql_integer(f, "SELECT count(*) FROM request"), 0);
	free(r.terms);
	free(r.handle);
	/* With the right key file it works at once. */
	assert_int_equal(rename(new, f->key_file), 0);
	assert_int_equal(store_credential_add(f->store, &c, &place, &won, &f->e), ERR_OK);
	assert_true(won);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
		TEST(seals_all_keys_anew),
		TEST(works_on_a_store_without_keys),
		TEST(renews_the_other_sealed_values),
		TEST(reports_a_key_that_does_not_open),
		TEST(needs_the_right_key_file),
		TEST(others_work_meanwhile),
		TEST(an_old_hand_reads_and_writes_afterwards),
		TEST(an_old_key_seals_no_more),
	};

	return cmocka_run_group_tests_name("store_rekey", tests, NULL, NULL);
}

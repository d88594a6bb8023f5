#ifndef TESTS_UNIT_REKEY_TOOLS_H
#define TESTS_UNIT_REKEY_TOOLS_H

/* What the tests of a new master key share. */

#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/rekey.h"
#include "store/seal.h"

#define MANY 450 /* more than two batches */

static size_t keys_in_file(struct fixture *f)
{
	struct seal *seal = NULL;
	size_t count;

	if (seal_open_file(f->key_file, &seal, &f->e))
		fail_msg("%s", f->e.text);
	count = seal_key_count(seal);
	seal_close(seal);
	return count;
}

static char reported[ERROR_TEXT_MAX];

static void report(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(reported, sizeof(reported), "%s", text);
}

static struct rekey_tally must_rekey(struct fixture *f)
{
	const struct rekey_options options = {.report = report};
	struct rekey_tally tally;

	if (store_rekey(&f->config, &options, &tally, &f->e))
		fail_msg("store_rekey: %s", f->e.text);
	return tally;
}

/* User A's encryption keys 1 to count, the last one active. */
static void add_keys(struct fixture *f, unsigned first, unsigned count)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};

	for (unsigned serial = first; serial < first + count; serial++) {
		struct credential current = {.id = 0};

		if (serial > 1)
			assert_int_equal(
				store_credential_current(f->store, &owner, &current, &f->e),
				ERR_OK);
		assert_true(must_add(f, USAGE_ENCRYPTION, USER_A, "", serial, current.id));
		credential_fini(&current);
	}
}

static const struct credential_owner asker = {USAGE_SIGNING, USER_B, DEVICE_2};

/* Adds two requests, and releases them. */
static void add_requests(struct fixture *f)
{
	const struct credential_owner other = {USAGE_ENCRYPTION, USER_B, ""};
	const struct store_asking wish[] = {asking(&other), asking(&asker)};

	for (unsigned i = 0; i < ARRAY_LEN(wish); i++) {
		struct store_request r;

		assert_true(must_add_request(f, &wish[i], 80 + i, &r));
		assert_int_equal(store_request_release(f->store, &r, NULL, &f->e), ERR_OK);
		store_request_fini(&r);
	}
}

/* The request can be leased and opens, also for a process that did not know the new key. */
static void assert_asks(struct fixture *f, struct store *store)
{
	const struct store_asking wish = asking(&asker);
	enum request_lease how = REQUEST_NONE;
	struct store_request r = {.id = 0};

	if (store_request_lease(store, &wish, &how, &r, &f->e))
		fail_msg("%s", f->e.text);
	assert_int_equal(how, REQUEST_TAKEN);
	assert_request(&r, 81);
	assert_int_equal(store_request_release(store, &r, NULL, &f->e), ERR_OK);
	store_request_fini(&r);
}

/* All of them open in a store that was opened before. */
static void assert_keys(struct fixture *f, struct store *store, unsigned count)
{
	const struct credential_owner owner = {USAGE_ENCRYPTION, USER_A, ""};
	const struct store_earlier earlier = {
		.user_uuid = USER_A, .device_uuid = DEVICE_1, .encrypts = true, .max = MANY * 2};
	struct credential *archived = NULL, current = {.id = 0};
	size_t n = 0, left_out = 0;

	if (store_credential_current(store, &owner, &current, &f->e))
		fail_msg("%s", f->e.text);
	assert_key(&current, count);
	credential_fini(&current);
	if (store_credential_archived(store, &earlier, &archived, &n, &left_out, &f->e))
		fail_msg("%s", f->e.text);
	assert_int_equal(n, count - 1);
	for (size_t i = 0; i < n; i++)
		assert_key(&archived[i], count - 1 - (unsigned)i);
	credentials_free(archived, n);
}

static void assert_keys_anew(struct fixture *f, unsigned count)
{
	store_close(f->store);
	f->store = NULL;
	must_open(f);
	assert_keys(f, f->store, count);
}

#endif

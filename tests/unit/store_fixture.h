#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "store/store.h"
#include "tests/unit/store_database.h"

/* A store of its own for each test, and functions that put things into it. */

#define USER_A "aaaaaaaa-0000-4000-8000-000000000001"
#define USER_B "bbbbbbbb-0000-4000-8000-000000000002"
#define DEVICE_1 "11111111-0000-4000-8000-000000000001"
#define DEVICE_2 "22222222-0000-4000-8000-000000000002"
#define GATEWAY "https://eg.example.com"

#define KEY_LEN 64

struct fixture {
	char dir[256];
	char key_file[300];
	char database[300]; /* what messages call it */
	struct config config;
	struct store *store; /* NULL: not open */
	struct error e;
};

/* For cmocka: an empty folder; and one with a store that is open. */
int folder_setup(void **state);
int store_setup(void **state);
int store_teardown(void **state);

void must_open(struct fixture *f);
/* store_again.c: where CERTPROV_TEST_AGAIN is set, each transaction is rolled back once. */
void work_again(struct store *store);
void must_fail_open(struct fixture *f, enum err code, const char *text);

/* As the product would have written it: rows get their MACs. Opens the store again. */
void sql_signed(struct fixture *f, const char *text);
/* As stores were before there were MACs; opening it gives them to its rows. */
void forget_macs(struct fixture *f);

struct store_event enrolled(const char *device_uuid, const char *user_uuid);
struct store_event unenrolled(const char *device_uuid);
int64_t must_record_event(struct fixture *f, const struct store_event *event);
bool must_accept(struct fixture *f, int64_t id, bool shared);
/* Records and accepts it; several users may have the same device. */
int64_t must_add_event(struct fixture *f, const struct store_event *event);
void must_finish_event(struct fixture *f, int64_t id, enum event_state state);

/* A credential with a key that its serial determines; nothing of it needs freeing. */
struct credential_text {
	char mail[64], serial[41], subject[64], issuer[64];
	unsigned char chain[32], key[KEY_LEN];
};
struct credential credential(struct credential_text *text, enum usage usage, const char *user_uuid,
	const char *device_uuid, unsigned serial);
bool must_add(struct fixture *f, enum usage usage, const char *user_uuid, const char *device_uuid,
	unsigned serial, int64_t replaces);
void assert_key(const struct credential *c, unsigned serial);

/* Requests have a key that their number determines. Those that are added are leased to us. */
struct store_asking asking(const struct credential_owner *owner);
bool must_add_request(struct fixture *f, const struct store_asking *asking, unsigned number,
	struct store_request *out);
enum request_lease must_lease(
	struct fixture *f, const struct store_asking *asking, struct store_request *out);
void assert_request(const struct store_request *r, unsigned number);

/* A whole file; the caller frees it. */
struct blob must_read(const char *path);

#endif

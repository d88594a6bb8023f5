/* A store of its own for each test, and functions that put things into it. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/seal.h"

int folder_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "%.200s/certprov-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->key_file, sizeof(f->key_file), "%s/store.key", f->dir);
	f->config.store.key_file = f->key_file;
	database_make(f);
	*state = f;
	return 0;
}

int store_setup(void **state)
{
	struct fixture *f;

	folder_setup(state);
	f = *state;
	assert_int_equal(store_init(&f->config, &f->e), ERR_OK);
	must_open(f);
	return 0;
}

int store_teardown(void **state)
{
	struct fixture *f = *state;
	struct dirent *entry;
	DIR *dir;

	store_close(f->store);
	database_remove(f);
	chmod(f->dir, 0700);
	dir = opendir(f->dir);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

void must_open(struct fixture *f)
{
	if (store_open(&f->config, &f->store, &f->e))
		fail_msg("store_open: %s", f->e.text);
	work_again(f->store);
}

void must_fail_open(struct fixture *f, enum err code, const char *text)
{
	struct store *store = NULL;

	assert_int_equal(store_open(&f->config, &store, &f->e), code);
	assert_int_equal(f->e.code, code);
	assert_null(store);
	if (!strstr(f->e.text, text))
		fail_msg("\"%s\" does not say \"%s\"", f->e.text, text);
}

void forget_macs(struct fixture *f)
{
	static unsigned char text[] = "certprov master key";
	const struct blob plain = {text, sizeof(text) - 1};
	struct blob sealed = {NULL, 0};
	struct seal *seal = NULL;

	assert_int_equal(seal_open_file(f->key_file, &seal, &f->e), ERR_OK);
	assert_int_equal(seal_close_blob(seal, &plain, "meta: key check", &sealed, &f->e), ERR_OK);
	sql_with(f, "UPDATE meta SET value = $1 WHERE name = 'key-check'", &sealed);
	blob_free(&sealed);
	seal_close(seal);
}

void sql_signed(struct fixture *f, const char *text)
{
	store_close(f->store);
	f->store = NULL;
	sql(f, text);
	forget_macs(f);
	must_open(f);
}

struct store_event enrolled(const char *device_uuid, const char *user_uuid)
{
	static const char payload[] = "{\"EventId\":148}";

	return (struct store_event){
		.received_at = 1600000000,
		.time = 1600000000,
		.request_id = "request-1",
		.kind = "enrolled",
		.event_type = "MDM Enrollment Complete",
		.device_uuid = device_uuid,
		.user_uuid = user_uuid,
		.user_name = strcmp(user_uuid, USER_A) == 0 ? "anna" : "bert",
		.device_name = strcmp(device_uuid, DEVICE_1) == 0 ? "Anna's iPad" : "Pixel",
		.platform = "Apple",
		.payload = payload,
		.payload_len = sizeof(payload) - 1,
	};
}

struct store_event unenrolled(const char *device_uuid)
{
	struct store_event event = enrolled(device_uuid, "");

	event.kind = "unenrolled";
	event.event_type = "Break MDM Confirmed";
	event.user_name = "";
	event.device_name = "";
	return event;
}

int64_t must_record_event(struct fixture *f, const struct store_event *event)
{
	int64_t id = 0;

	if (store_event_add(f->store, event, 60, &id, &f->e))
		fail_msg("store_event_add: %s", f->e.text);
	assert_true(id > 0);
	return id;
}

bool must_accept(struct fixture *f, int64_t id, bool shared)
{
	bool accepted = false;

	if (store_event_accept(f->store, id, shared, &accepted, &f->e))
		fail_msg("store_event_accept: %s", f->e.text);
	return accepted;
}

int64_t must_add_event(struct fixture *f, const struct store_event *event)
{
	int64_t id = must_record_event(f, event);

	if (strcmp(event->kind, "enrolled") == 0 && *event->device_uuid && *event->user_uuid)
		must_accept(f, id, true);
	return id;
}

void must_finish_event(struct fixture *f, int64_t id, enum event_state state)
{
	const struct store_end end = {
		.state = state,
		.cause = state == EVENT_STATE_RECORDED ? NULL : "the cause",
		.next_at = 1600000600,
		.inputs = "before",
	};

	if (store_event_finish(f->store, id, &end, &f->e))
		fail_msg("store_event_finish: %s", f->e.text);
}

struct credential credential(struct credential_text *text, enum usage usage, const char *user_uuid,
	const char *device_uuid, unsigned serial)
{
	struct credential c = {.usage = usage, .state = CREDENTIAL_ACTIVE};

	snprintf(text->mail, sizeof(text->mail), "anna@example.com");
	snprintf(text->serial, sizeof(text->serial), "%040x", serial);
	snprintf(text->subject, sizeof(text->subject), "CN=anna");
	snprintf(text->issuer, sizeof(text->issuer), "CN=Test CA");
	memset(text->chain, 'c', sizeof(text->chain));
	for (size_t i = 0; i < KEY_LEN; i++)
		text->key[i] = (unsigned char)(serial * 31 + i * i * 7 + i);
	snprintf(c.user_uuid, sizeof(c.user_uuid), "%s", user_uuid);
	snprintf(c.device_uuid, sizeof(c.device_uuid), "%s", device_uuid);
	c.mail = text->mail;
	c.serial = text->serial;
	c.subject = text->subject;
	c.issuer = text->issuer;
	c.not_before = 1600000000 + (int64_t)serial;
	c.not_after = 1631536000 + (int64_t)serial;
	c.chain = (struct blob){text->chain, sizeof(text->chain)};
	c.key = (struct blob){text->key, sizeof(text->key)};
	return c;
}

bool must_add(struct fixture *f, enum usage usage, const char *user_uuid, const char *device_uuid,
	unsigned serial, int64_t replaces)
{
	struct credential_text text;
	struct credential c = credential(&text, usage, user_uuid, device_uuid, serial);
	const struct store_place place = {.replaces = replaces, .action = AUDIT_ISSUED};
	bool won = false;

	if (store_credential_add(f->store, &c, &place, &won, &f->e))
		fail_msg("store_credential_add: %s", f->e.text);
	return won;
}

void assert_key(const struct credential *c, unsigned serial)
{
	struct credential_text text;
	struct credential expected =
		credential(&text, c->usage, c->user_uuid, c->device_uuid, serial);

	assert_string_equal(c->serial, expected.serial);
	assert_true(blob_equal(&c->key, &expected.key));
}

struct store_asking asking(const struct credential_owner *owner)
{
	return (struct store_asking){
		.owner = owner, .terms = "terms", .lease = 60, .inputs = "inputs"};
}

static void fill_request(struct store_request *r, unsigned number)
{
	struct credential_text text;
	struct credential c = credential(&text, USAGE_SIGNING, USER_A, "", number);
	struct error e;

	assert_int_equal(blob_copy(c.key.data, c.key.len, &r->key, &e), ERR_OK);
	assert_int_equal(blob_copy(c.serial, strlen(c.serial), &r->request, &e), ERR_OK);
}

bool must_add_request(struct fixture *f, const struct store_asking *asking, unsigned number,
	struct store_request *out)
{
	bool won = false;

	*out = (struct store_request){.id = 0};
	fill_request(out, number);
	if (store_request_add(f->store, asking, out, &won, &f->e))
		fail_msg("store_request_add: %s", f->e.text);
	return won;
}

enum request_lease must_lease(
	struct fixture *f, const struct store_asking *asking, struct store_request *out)
{
	enum request_lease how = REQUEST_NONE;

	*out = (struct store_request){.id = 0};
	if (store_request_lease(f->store, asking, &how, out, &f->e))
		fail_msg("store_request_lease: %s", f->e.text);
	return how;
}

void assert_request(const struct store_request *r, unsigned number)
{
	struct store_request expected = {.id = 0};

	fill_request(&expected, number);
	assert_true(blob_equal(&r->request, &expected.request));
	assert_true(blob_equal(&r->key, &expected.key));
	store_request_fini(&expected);
}

struct blob must_read(const char *path)
{
	struct blob content = {NULL, 0};
	struct error e;

	if (file_read(path, &content, &e))
		fail_msg("%s", e.text);
	return content;
}

#ifndef TESTS_UNIT_ANSWER_FIXTURE_H
#define TESTS_UNIT_ANSWER_FIXTURE_H

/* A service over tests/peers/fake_provider.c that answers whole requests of a fake web server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi/answer.h"
#include "fcgi/deadline.h"
#include "fcgi/service.h"
#include "tests/unit/fake_server.h"

/* uem:secret; the hash by htpasswd */
#define RIGHT "Basic dWVtOnNlY3JldA=="
#define WRONG "Basic dWVtOnNlY3JldHM="
#define USERS "uem:$2y$04$cu86kV5HSNszt4mp0sY3aOZlFr00vKmF/UgOX8cquWR9u6PehPihS\n"
#define MAX_BODY 1024

/* boss:hidden */
#define BOSS "Basic Ym9zczpoaWRkZW4="
#define ADMINS "boss:$2y$04$V9Wi153MDQ1qHCkl9sseqO31hQ8Lm203dVG91jt3NoTRAnTP2EBee\n"

struct fixture {
	char folder[64], users[96], admins[96], ca[96], store[96];
	struct config config;
	struct service service;
	struct fake_server fake;
	cJSON *json;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, 0600) < 0)
		abort();
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error e;

	if (!f)
		return -1;
	snprintf(f->folder, sizeof(f->folder), "/tmp/service-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->users, sizeof(f->users), "%s/users", f->folder);
	snprintf(f->admins, sizeof(f->admins), "%s/admins", f->folder);
	snprintf(f->ca, sizeof(f->ca), "%s/ca", f->folder);
	snprintf(f->store, sizeof(f->store), "%s/store", f->folder);
	write_file(f->users, USERS);
	write_file(f->admins, ADMINS);
	write_file(f->ca, "good certificate");
	write_file(f->store, "");
	f->config.events.users_file = f->users;
	f->config.events.max_body = MAX_BODY;
	f->config.ca.certificate = f->ca;
	f->config.store.sqlite = f->store;
	f->config.escrow.identity = f->store; /* ends in no second */
	*state = f;
	return service_open(&f->config, &f->service, &e) ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	cJSON_Delete(f->json);
	fake_server_fini(&f->fake);
	service_close(&f->service);
	unlink(f->users);
	unlink(f->admins);
	unlink(f->ca);
	unlink(f->store);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void prepare(struct fixture *f, const char *method, const char *path, const char *body)
{
	fake_server_fini(&f->fake);
	fake_server_init(&f->fake, method, path, body);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", RIGHT);
	fake_server_param(&f->fake, "REQUEST_ID", "test-request-1");
}

/* What holds for every answer, then the body if it is JSON. */
static void run(struct fixture *f, int status)
{
	const char *type, *length;

	answer_request(&f->service, &f->fake.transport);
	deadline_stop();
	if (fake_server_status(&f->fake) != status)
		fail_msg("expected %d, got: %s", status, f->fake.answer.data);
	assert_string_equal(fake_server_header(&f->fake, "X-Request-Id"), "test-request-1");
	assert_string_equal(fake_server_header(&f->fake, "X-Content-Type-Options"), "nosniff");
	assert_non_null(fake_server_header(&f->fake, "Cache-Control"));
	assert_string_equal(log_request(), "");
	cJSON_Delete(f->json);
	f->json = NULL;
	type = fake_server_header(&f->fake, "Content-Type");
	if (type && strstr(type, "json") && *fake_server_body(&f->fake)) {
		f->json = cJSON_ParseWithLength(
			fake_server_body(&f->fake), strlen(fake_server_body(&f->fake)));
		assert_non_null(f->json);
	}
	length = fake_server_header(&f->fake, "Content-Length");
	if (*fake_server_body(&f->fake))
		assert_int_equal(strtol(length, NULL, 10), strlen(fake_server_body(&f->fake)));
}

static void run_again(struct fixture *f, int status)
{
	buf_reset(&f->fake.answer);
	run(f, status);
}

static const char *member(const struct fixture *f, const char *name)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f->json, name));

	return value ? value : "";
}

static void assert_problem(struct fixture *f, int status, const char *label)
{
	char type[96];

	snprintf(type, sizeof(type), "urn:certprov:problem:%s", label);
	assert_string_equal(
		fake_server_header(&f->fake, "Content-Type"), "application/problem+json");
	assert_string_equal(fake_server_header(&f->fake, "Cache-Control"), "no-store");
	assert_string_equal(member(f, "type"), type);
	assert_int_equal(
		cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(f->json, "status")), status);
	assert_true(*member(f, "title"));
	assert_true(*member(f, "detail"));
}

static int start_deadlines(void **state)
{
	struct error e;

	(void)state;
	log_open("service", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	deadline_watch(STDIN_FILENO);
	return deadline_init(&e);
}

#endif

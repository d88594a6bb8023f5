/* A service whose provider cannot be opened yet, as on a full disk: events are logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi/answer.h"
#include "fcgi/deadline.h"
#include "fcgi/service.h"
#include "tests/unit/fake_server.h"

static char folder[] = "/tmp/certprov-unavailable-XXXXXX";
static char ca[sizeof(folder) + 8], store[sizeof(folder) + 8];
static char logged[4096];

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int set_up(void **state)
{
	struct error e;

	(void)state;
	log_open("service", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	if (!mkdtemp(folder))
		return -1;
	snprintf(ca, sizeof(ca), "%s/ca", folder);
	snprintf(store, sizeof(store), "%s/store", folder);
	write_file(store, "");
	deadline_watch(STDIN_FILENO);
	return deadline_init(&e) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(ca) || unlink(store) || rmdir(folder);
}

/* Returns the status; what was logged meanwhile is in logged. */
static int answer(struct service *service, const char *method, const char *path, const char *body)
{
	struct fake_server fake;
	FILE *sink = tmpfile();
	int saved = dup(STDERR_FILENO), status;

	assert_true(sink && saved >= 0 && dup2(fileno(sink), STDERR_FILENO) >= 0);
	fake_server_init(&fake, method, path, body);
	fake_server_param(&fake, "REQUEST_ID", "test-request-1");
	answer_request(service, &fake.transport);
	deadline_stop();
	status = fake_server_status(&fake);
	fake_server_fini(&fake);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(sink);
	logged[fread(logged, 1, sizeof(logged) - 1, sink)] = '\0';
	fclose(sink);
	return status;
}

static void a_full_disk_only_delays(void **state)
{
	struct config config = {.events = {.authenticate = AUTHENTICATE_NONE, .max_body = 4096},
		.ca = {.certificate = ca},
		.store = {.sqlite = store},
		.escrow = {.identity = store}};
	struct service service;
	struct error e;

	(void)state;
	write_file(ca, "full");
	assert_int_equal(service_open(&config, &service, &e), ERR_OK);
	assert_int_equal(answer(&service, "POST", "/events", "{ \"EventId\":\n148 }"), 503);
	assert_non_null(
		strstr(logged, " request=test-request-1 an event could not be recorded (the "
			       "disk is full); once that is fixed, pass the rest of this "
			       "line to \"certprov enroll -\": {\"EventId\":148}\n"));
	assert_int_equal(answer(&service, "GET", "/healthz", ""), 503);
	assert_null(strstr(logged, "enroll -"));
	write_file(ca, "good again");
	assert_int_equal(answer(&service, "POST", "/events", "deliver"), 202);
	assert_string_equal(logged, "");
	service_close(&service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_full_disk_only_delays)};

	return cmocka_run_group_tests_name("fcgi_unavailable", tests, set_up, tear_down);
}

#ifndef TESTS_UNIT_PAGE_FIXTURE_H
#define TESTS_UNIT_PAGE_FIXTURE_H

/* A service over tests/peers/fake_provider.c whose pages are made without a request around them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/handler_counters.h"
#include "fcgi/route.h"

#define NOW 1700000000 /* 2023-11-14T22:13:20Z */

struct fixture {
	char folder[64], ca[96], store[96], identity[96];
	char rows[112]; /* what its store lists, if it is there */
	char *urls[2];	/* of gateways */
	struct config config;
	struct service service;
	struct handler_counters *counters;
	struct response page;
};

static int64_t fixed_clock(void)
{
	return NOW;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static int set_up_for(void **state, char *url)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error e;

	if (!f)
		return -1;
	clock_replace(fixed_clock);
	snprintf(f->folder, sizeof(f->folder), "/tmp/page-XXXXXX");
	if (!mkdtemp(f->folder) || handler_counters_new(&f->counters, &e))
		return -1;
	snprintf(f->ca, sizeof(f->ca), "%s/ca", f->folder);
	snprintf(f->store, sizeof(f->store), "%s/store", f->folder);
	snprintf(f->rows, sizeof(f->rows), "%s.rows", f->store);
	snprintf(f->identity, sizeof(f->identity), "%s/identity", f->folder);
	write_file(f->ca, "good");
	write_file(f->store, "");
	write_file(f->identity, "1800000000");
	f->urls[0] = url;
	f->config.events.authenticate = AUTHENTICATE_NONE;
	f->config.ca.certificate = f->ca;
	f->config.store.sqlite = f->store;
	f->config.escrow.identity = f->identity;
	f->config.escrow.urls = url ? f->urls : NULL;
	response_init(&f->page);
	*state = f;
	return service_open(&f->config, &f->service, &e) ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	clock_replace(NULL);
	service_close(&f->service);
	response_fini(&f->page);
	handler_counters_free(f->counters);
	unlink(f->ca);
	unlink(f->store);
	unlink(f->rows);
	unlink(f->identity);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* The page of a handler, from nothing; what it counts is there. */
static enum err make_page(
	struct fixture *f, route_handler *handle, const struct request *request, struct error *e)
{
	response_fini(&f->page);
	response_init(&f->page);
	f->service.counters = f->counters;
	return handle(&f->service, request, &f->page, e);
}

static void assert_page(const struct fixture *f, const char *type)
{
	assert_int_equal(f->page.status, 200);
	assert_string_equal(f->page.content_type, type);
	assert_false(f->page.body.failed);
}

#endif

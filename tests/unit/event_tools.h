#ifndef TESTS_EVENT_TOOLS_H
#define TESTS_EVENT_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "uem/event.h"

#define DEVICE "f90f1abd-b914-4895-9b59-82e8aecf0e66"
#define USER "fe13e814-7415-4fce-9f47-de5a55bfe57a"
#define UUIDS "\"DeviceUUID\":\"" DEVICE "\",\"EnrollmentUserUUID\":\"" USER "\""
#define ENROLLED "\"EventId\":148," UUIDS

static enum err parse(const char *json, struct event **out, struct error *e)
{
	size_t len = strlen(json);
	char *exact = malloc(len); /* no NUL behind it: a byte too far is seen by ASan */
	enum err err;

	assert_non_null(exact);
	memcpy(exact, json, len);
	*e = (struct error){.code = ERR_OK};
	err = event_parse(exact, len, out, e);
	free(exact);
	return err;
}

/* A file of tests/data. */
static inline struct blob load(const char *name)
{
	const char *srcdir = getenv("srcdir");
	struct blob content = {NULL, 0};
	struct buf path = BUF_INIT(4096);
	struct error e;

	buf_printf(&path, "%s/tests/data/%s", srcdir ? srcdir : ".", name);
	if (file_read(path.data, &content, &e))
		fail_msg("%s", e.text);
	buf_free(&path);
	return content;
}

static struct event *good(const char *json)
{
	struct event *event = NULL;
	struct error e;

	if (parse(json, &event, &e))
		fail_msg("%s: %s", json, e.text);
	return event;
}

#endif

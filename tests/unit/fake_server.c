/* A web server in memory, at the other end of a request. */
#include "tests/unit/fake_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t read_body(void *ctx, void *data, size_t len)
{
	struct fake_server *fake = ctx;
	size_t left = fake->body_len - fake->body_read;
	size_t got = len < left ? len : left;

	if (got)
		memcpy(data, fake->body + fake->body_read, got);
	fake->body_read += got;
	return got;
}

static bool write_answer(void *ctx, const void *data, size_t len)
{
	struct fake_server *fake = ctx;

	if (fake->gone)
		return false;
	buf_append(&fake->answer, data, len);
	return true;
}

void fake_server_param(struct fake_server *fake, const char *name, const char *value)
{
	char *param = NULL;

	if (asprintf(&param, "%s=%s", name, value) < 0)
		abort();
	for (size_t i = 0; i < fake->param_count; i++) {
		if (strncmp(fake->params[i], param, strlen(name) + 1) != 0)
			continue;
		free(fake->params[i]);
		fake->params[i] = param;
		return;
	}
	if (fake->param_count + 2 > ARRAY_LEN(fake->params))
		abort();
	fake->params[fake->param_count++] = param;
}

void fake_server_init(
	struct fake_server *fake, const char *method, const char *path, const char *body)
{
	char length[24];

	*fake = (struct fake_server){.body = body, .answer = BUF_INIT(1024 * 1024)};
	fake->transport = (struct transport){fake->params, fake, read_body, write_answer};
	fake->body_len = body ? strlen(body) : 0;
	fake_server_param(fake, "REQUEST_METHOD", method);
	fake_server_param(fake, "PATH_INFO", path);
	snprintf(length, sizeof(length), "%zu", fake->body_len);
	fake_server_param(fake, "CONTENT_LENGTH", body ? length : "");
}

void fake_server_fini(struct fake_server *fake)
{
	for (size_t i = 0; i < fake->param_count; i++)
		free(fake->params[i]);
	buf_free(&fake->answer);
}

int fake_server_status(const struct fake_server *fake)
{
	const char *status = fake_server_header(fake, "Status");

	return status ? (int)strtol(status, NULL, 10) : -1;
}

const char *fake_server_header(const struct fake_server *fake, const char *name)
{
	static char value[512];
	const char *body = fake_server_body(fake);
	size_t len = strlen(name);

	for (const char *line = fake->answer.data; line && line < body;) {
		const char *end = strstr(line, "\r\n");

		if (!end)
			break;
		if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0) {
			snprintf(value, sizeof(value), "%.*s", (int)(end - line - (long)len - 2),
				line + len + 2);
			return value;
		}
		line = end + 2;
	}
	return NULL;
}

const char *fake_server_body(const struct fake_server *fake)
{
	const char *end = fake->answer.data ? strstr(fake->answer.data, "\r\n\r\n") : NULL;

	return end ? end + 4 : "";
}

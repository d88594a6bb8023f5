#include "tests/unit/fake_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t read_body(void *ctx, void *data, size_t len)
{
	struct fake_gateway *fake = ctx;
	size_t left = fake->body_len - fake->body_read;
	size_t got = len < left ? len : left;

	if (got)
		memcpy(data, fake->body + fake->body_read, got);
	fake->body_read += got;
	return got;
}

static bool write_answer(void *ctx, const void *data, size_t len)
{
	struct fake_gateway *fake = ctx;

	if (fake->gone)
		return false;
	buf_append(&fake->answer, data, len);
	return true;
}

void fake_gateway_param(struct fake_gateway *fake, const char *name, const char *value)
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

void fake_gateway_init(
	struct fake_gateway *fake, const char *method, const char *path, const char *body)
{
	char length[24];

	*fake = (struct fake_gateway){.body = body, .answer = BUF_INIT(1024 * 1024)};
	fake->gateway = (struct gateway){fake->params, fake, read_body, write_answer};
	fake->body_len = body ? strlen(body) : 0;
	fake_gateway_param(fake, "REQUEST_METHOD", method);
	fake_gateway_param(fake, "PATH_INFO", path);
	snprintf(length, sizeof(length), "%zu", fake->body_len);
	fake_gateway_param(fake, "CONTENT_LENGTH", body ? length : "");
}

void fake_gateway_fini(struct fake_gateway *fake)
{
	for (size_t i = 0; i < fake->param_count; i++)
		free(fake->params[i]);
	buf_free(&fake->answer);
}

int fake_gateway_status(const struct fake_gateway *fake)
{
	const char *status = fake_gateway_header(fake, "Status");

	return status ? (int)strtol(status, NULL, 10) : -1;
}

const char *fake_gateway_header(const struct fake_gateway *fake, const char *name)
{
	static char value[512];
	const char *body = fake_gateway_body(fake);
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

const char *fake_gateway_body(const struct fake_gateway *fake)
{
	const char *end = fake->answer.data ? strstr(fake->answer.data, "\r\n\r\n") : NULL;

	return end ? end + 4 : "";
}

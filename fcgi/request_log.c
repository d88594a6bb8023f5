/* The line in the log about a request, when it is answered. */
#include "fcgi/request_log.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define METHOD_SHOWN 16
#define PATH_SHOWN 128
#define REMOTE_SHOWN 64

static enum log_level level_of(enum err err)
{
	if (!err)
		return LOG_LEVEL_INFO;
	return err == ERR_CONFIG || err == ERR_REFUSED || err == ERR_BARRED || err == ERR_GARBLED ||
			       err == ERR_INTERNAL
		       ? LOG_LEVEL_ERROR
		       : LOG_LEVEL_WARNING;
}

/*
 * Text from the client becomes one word of the log line. A path with spaces could otherwise show a
 * forged address and status to programs that ban or alert by them.
 */
static void one_word(const char *text, size_t max, char *out)
{
	size_t n = 0;

	for (; text[n] && n < max; n++)
		out[n] = text[n] > ' ' && text[n] <= '~' ? text[n] : '_';
	out[n] = '\0';
}

void request_log_line(const struct request *request, const struct response *response,
	const struct error *result, int64_t started)
{
	char method[METHOD_SHOWN + 1], path[PATH_SHOWN + 1], remote[REMOTE_SHOWN + 1];
	char status[16], ms[24];
	const struct log_field fields[] = {
		{"method", method, NULL},
		{"path", path, NULL},
		{"remote", remote, NULL},
		{"status", status, status},
		{"ms", ms, ms},
	};

	one_word(request->method, METHOD_SHOWN, method);
	one_word(request->path, PATH_SHOWN, path);
	one_word(request->remote, REMOTE_SHOWN, remote);
	snprintf(status, sizeof(status), "%d", response->status);
	snprintf(ms, sizeof(ms), "%lld", (long long)(clock_monotonic_ms() - started));
	log_fields(level_of(result->code), fields, ARRAY_LEN(fields),
		"%s %s from %s: %s in %s ms%s%s", method, path, remote, status, ms,
		*result->text ? ": " : "", result->text);
}

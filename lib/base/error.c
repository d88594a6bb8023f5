/* What each kind of error means to others, and the filling of struct error. */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define DETAIL_REFUSED                                              \
	"The certificate authority or the Escrow Gateway refused; " \
	"the event is kept as failed and needs attention."
#define DETAIL_BARRED                                                                    \
	"A server that this service asks did not process the request: it rejects the "   \
	"credentials of this service, or another server answers. An administrator must " \
	"look at the log. "
#define DETAIL_GARBLED                                                                      \
	"The certificate authority answered, and was not understood; the event is kept as " \
	"failed and needs attention: another try may issue another certificate."
#define DETAIL_ALTERED                                                                 \
	"The service does not go on with what it has stored; its log says where. The " \
	"event is kept as failed, if it could be recorded, and needs attention."
#define DETAIL_LATER "The event is kept if it could be recorded, and is finished later."

static const struct error_meaning meanings[ERR_COUNT] = {
	[ERR_OK] = {"ok", 200, 0, false, "OK", NULL},
	[ERR_USAGE] = {"usage", 400, 2, false, "Wrong usage", NULL},
	[ERR_CONFIG] = {"config", 503, 78, true, "Not available",
		"The service is not set up correctly; its log says where. " DETAIL_LATER},
	[ERR_MALFORMED] = {"malformed", 400, 1, false, "Malformed event notification", NULL},
	[ERR_TOO_LARGE] = {"too-large", 413, 1, false, "Event notification too large", NULL},
	[ERR_UNSUPPORTED] = {"unsupported", 415, 1, false, "Unsupported media type", NULL},
	[ERR_UNPROCESSABLE] = {"unprocessable", 422, 1, false, "No usable identity", NULL},
	[ERR_UNAUTHENTICATED] = {"unauthenticated", 401, 1, false, "Not authenticated",
		"Credentials are missing or wrong."},
	[ERR_FORBIDDEN] = {"forbidden", 403, 1, false, "Not confirmed",
		"The event's claim was not confirmed."},
	[ERR_NOT_FOUND] = {"not-found", 404, 1, false, "Not found", "There is nothing here."},
	[ERR_METHOD] = {"method", 405, 1, false, "Method not allowed",
		"This path does not take that method; see Allow."},
	[ERR_REFUSED] = {"refused", 502, 1, false, "Refused upstream", DETAIL_REFUSED},
	[ERR_BARRED] = {"barred", 503, 75, true, "Not available", DETAIL_BARRED DETAIL_LATER},
	[ERR_GARBLED] = {"garbled", 502, 1, false, "Upstream not understood", DETAIL_GARBLED},
	[ERR_ALTERED] = {"altered", 500, 1, false, "Stored data refused", DETAIL_ALTERED},
	[ERR_UNAVAILABLE] = {"unavailable", 503, 75, true, "Not available",
		"The store, or a server that this service asks, is unreachable or "
		"busy. " DETAIL_LATER},
	[ERR_PENDING] = {"pending", 503, 75, true, "Waiting for the certificate authority",
		"The certificate authority has not approved the request yet. " DETAIL_LATER},
	[ERR_INTERNAL] = {"internal", 500, 1, true, "Internal error",
		"The request could not be completed; the log has its id. " DETAIL_LATER},
};

const struct error_meaning *error_meaning(enum err code)
{
	return &meanings[code < ERR_COUNT ? code : ERR_INTERNAL];
}

/* A cut text may end within a character; drops that, as JSON needs UTF-8. */
static void end_text(char *text, size_t size)
{
	size_t len = strlen(text), start = len;
	uint32_t c;

	if (len < size - 1)
		return;
	while (start > len - 4 && (text[start - 1] & 0xc0) == 0x80)
		start--;
	start -= (text[start - 1] & 0x80) != 0;
	if (start < len && utf8_next(text + start, len - start, &c) != len - start)
		text[start] = '\0';
}

static void fill(struct error *e, enum err code, const char *field, const char *fmt, va_list args)
	printf_like(4, 0);
static void fill(struct error *e, enum err code, const char *field, const char *fmt, va_list args)
{
	char text[ERROR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args); /* which may quote e->text */
	e->code = code;
	e->retry_after = 0;
	snprintf(e->field, sizeof(e->field), "%s", field);
	end_text(e->field, sizeof(e->field));
	memcpy(e->text, text, sizeof(e->text));
	end_text(e->text, sizeof(e->text));
}

enum err error_set(struct error *e, enum err code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(e, code, "", fmt, args);
	va_end(args);
	return code;
}

enum err error_field(struct error *e, enum err code, const char *field, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(e, code, field, fmt, args);
	va_end(args);
	return code;
}

enum err error_context(struct error *e, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	size_t len;

	memcpy(text, e->text, sizeof(text));
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", text);
	end_text(e->text, sizeof(e->text));
	return e->code;
}

enum err error_memory(struct error *e)
{
	return error_set(e, ERR_INTERNAL, "out of memory");
}

enum err error_errno(struct error *e, enum err code, const char *fmt, ...)
{
	int saved = errno;
	va_list args;
	size_t len;

	va_start(args, fmt);
	fill(e, code, "", fmt, args);
	va_end(args);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror(saved));
	end_text(e->text, sizeof(e->text));
	return code;
}

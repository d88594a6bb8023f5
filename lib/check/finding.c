/*
 * Findings of the doctor, on their way from a subject to whoever prints them. What is printed, and
 * how, is not known here.
 */

#include "check/finding.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE (PATH_MAX + 2 * ERROR_TEXT_MAX)

void finding_text(const struct finding *finding, struct buf *out)
{
	buf_puts(out, finding->found);
	if (finding->fix)
		buf_printf(out, ": %s", finding->fix);
}

/* A failure that needs a person outranks one that may pass: a later try would not help. */
static void report(struct check *c, const struct finding *finding)
{
	c->report(c->ctx, finding);
	c->faults += finding->severity != SEVERITY_GOOD;
	if (finding->err && (!c->worst || c->worst == ERR_UNAVAILABLE))
		c->worst = finding->err;
}

static void report_text(struct check *c, struct finding *finding, const char *fmt, va_list args)
	printf_like(3, 0);
static void report_text(struct check *c, struct finding *finding, const char *fmt, va_list args)
{
	char text[TEXT_SIZE], *fix;

	vsnprintf(text, sizeof(text), fmt, args);
	fix = strstr(text, FIX);
	if (fix)
		*fix++ = '\0';
	finding->found = text;
	finding->fix = fix;
	report(c, finding);
}

void finding_good(struct check *c, const char *about, const char *fmt, ...)
{
	struct finding finding = {.about = about, .severity = SEVERITY_GOOD};
	va_list args;

	va_start(args, fmt);
	report_text(c, &finding, fmt, args);
	va_end(args);
}

void finding_warn(struct check *c, const char *about, const char *fmt, ...)
{
	struct finding finding = {.about = about, .severity = SEVERITY_WARNING};
	va_list args;

	va_start(args, fmt);
	report_text(c, &finding, fmt, args);
	va_end(args);
}

void finding_fail(struct check *c, const char *about, enum err err, const char *fmt, ...)
{
	struct finding finding = {.about = about, .severity = SEVERITY_FAILURE, .err = err};
	va_list args;

	va_start(args, fmt);
	report_text(c, &finding, fmt, args);
	va_end(args);
}

void finding_error(struct check *c, const char *about, const struct error *e)
{
	struct finding finding = {
		.about = about,
		.severity = SEVERITY_FAILURE,
		.err = e->code,
		.found = e->text,
	};
	size_t len = strlen(about);

	if (strncmp(e->text, about, len) == 0 && strncmp(e->text + len, ": ", 2) == 0)
		finding.found = e->text + len + 2;
	report(c, &finding);
}

void finding_result(
	struct check *c, const char *about, enum err err, const struct error *e, const char *good)
{
	if (err)
		finding_error(c, about, e);
	else
		finding_good(c, about, "%s", good);
}

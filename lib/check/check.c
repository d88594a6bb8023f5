#include <stdio.h>
#include <string.h>

#include "check/checkup.h"

/* Errors begin with what they are about; the finding's name says it already. */
static const char *without_name(const char *text, const char *what)
{
	size_t len = strlen(what);

	return strncmp(text, what, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
										  : text;
}

/* A fault that needs a person outranks one that may pass: a later try would not help then. */
void checkup_found(struct checkup *c, const char *what, enum err err, const char *text)
{
	c->report(c->ctx, what, err, false, without_name(text, what));
	if (c->worst == ERR_OK || c->worst == ERR_UNAVAILABLE)
		c->worst = err ? err : c->worst;
}

void checkup_holds(struct checkup *c, const char *what, const char *fmt, ...)
{
	char text[2 * ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->report(c->ctx, what, ERR_OK, false, text);
}

void checkup_warns(struct checkup *c, const char *what, const char *fmt, ...)
{
	char text[2 * ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->report(c->ctx, what, ERR_OK, true, text);
}

/* An expired thing fails, one that expires soon warns. */
void checkup_expiry(
	struct checkup *c, const char *what, const struct expiry *expiry, const char *text)
{
	if (expiry_is_over(expiry))
		checkup_found(c, what, ERR_CONFIG, text);
	else if (expiry_is_near(expiry))
		checkup_warns(c, what, "%s", text);
	else
		checkup_holds(c, what, "%s", text);
}

bool checkup_certificate(struct checkup *c, const char *name, enum expiry_what what,
	const struct blob *der, struct certificate_info *out)
{
	struct buf text = BUF_INIT(2048);
	struct expiry expiry;
	struct error e;
	enum err err = certificate_info(der, out, &e);

	if (err) {
		checkup_found(c, name, err, e.text);
		return false;
	}
	expiry = what == EXPIRY_CA ? expiry_judge_ca(out->not_before, out->not_after,
					     c->config->certificates.validity)
				   : expiry_judge(what, out->not_before, out->not_after);
	buf_printf(&text, "%s ", out->subject);
	expiry_text(&expiry, &text);
	if (what == EXPIRY_CLIENT)
		buf_printf(&text, "; thumbprints SHA-1 %s SHA-256 %s", out->sha1, out->sha256);
	checkup_expiry(c, name, &expiry, text.data);
	buf_free(&text);
	return true;
}

enum err provider_check(const struct config *config, provider_report *report, void *ctx)
{
	struct checkup c = {.config = config, .report = report, .ctx = ctx};

	check_files(&c);
	check_hashes(&c);
	check_identity(&c);
	check_store(&c);
	check_ca(&c);
	check_gateways(&c);
	store_close(c.store);
	return c.worst;
}

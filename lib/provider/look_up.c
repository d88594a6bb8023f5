/*
 * Asks the directory for the user of an event. It decides nothing: identify.c takes the address and
 * the name from here.
 */
#include "provider/look_up.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "directory/filter.h"
#include "net/identity.h"
#include "provider/barred_peer_try.h"
#include "provider/provider_parts.h"
#include "provider/template.h"

#define FILTER_MAX 4096

/* Nobody has that name: all that is asked is whether the directory says so. */
#define FILTER_OF_NOBODY "(cn=certprov-check-of-the-directory)"

struct look_up {
	struct directory *directory;
	struct identity *identity; /* NULL: by a password, or anonymous */
};

/* With all values empty. */
static enum err check_filter(const struct config *config, struct error *e)
{
	const struct template_values values = {.append = filter_escape};
	const char *template = config->ldap.filter;
	struct buf filter = BUF_INIT(FILTER_MAX);
	struct error why;
	enum err err = template_expand(template, &values, &filter, &why);

	if (!err && !filter_names_are_values(template))
		err = error_set(&why, ERR_CONFIG,
			"a {name} may only stand behind \"=\", as a value or a part of one");
	if (!err && strstr(template, "{uem.") && !config->uem.url)
		err = error_set(&why, ERR_CONFIG, "\"%s\" needs a section [uem]", template);
	if (!err)
		err = filter_check(filter.data, &why);
	buf_free(&filter);
	return err ? config_error(config, "ldap", "filter", e, "%s", why.text) : ERR_OK;
}

static enum err open_parts(const struct config *config, struct look_up *look_up, struct error *e)
{
	const char *source = config->ldap.identity;
	enum err err = check_filter(config, e);

	if (!err && source)
		err = identity_open(
			source, config->ldap.identity_password_file, &look_up->identity, e);
	if (!err && source)
		err = identity_ready(look_up->identity, e);
	return err ? err
		   : directory_open(config, source ? identity_path(look_up->identity) : NULL,
			     &look_up->directory, e);
}

enum err look_up_open(const struct config *config, struct look_up **out, struct error *e)
{
	struct look_up *look_up;
	enum err err;

	if (config->identity.source != IDENTITY_LDAP)
		return ERR_OK;
	look_up = calloc(1, sizeof(*look_up));
	if (!look_up)
		return error_memory(e);
	err = open_parts(config, look_up, e);
	if (err)
		look_up_close(look_up);
	else
		*out = look_up;
	return err;
}

void look_up_close(struct look_up *look_up)
{
	if (!look_up)
		return;
	directory_close(look_up->directory);
	identity_close(look_up->identity);
	free(look_up);
}

enum err look_up_probe(const struct config *config, const struct look_up *look_up, struct error *e)
{
	int64_t deadline = clock_monotonic_ms() + config->ldap.timeout * 1000;
	struct directory_user user;
	enum err err = directory_find(look_up->directory, FILTER_OF_NOBODY, deadline, &user, e);

	return err == ERR_UNPROCESSABLE ? ERR_OK : err;
}

/* The filter of [ldap] for the user of an event, each value in it taken literally. */
static enum err write_filter(
	const struct config *config, const struct event *event, struct buf *out, struct error *e)
{
	const struct template_values values = {
		.event = event, .whole = true, .append = filter_escape};
	char first[ERROR_FIELD_MAX];
	enum err err = template_expand(config->ldap.filter, &values, out, e);

	if (err == ERR_TOO_LARGE)
		return error_set(e, ERR_UNPROCESSABLE, "the filter of [ldap] is too long");
	if (err || !template_lacks_value(config->ldap.filter, &values))
		return err;
	template_first_name(config->ldap.filter, first, sizeof(first));
	return error_field(e, ERR_UNPROCESSABLE, first,
		"the directory is not asked: the event lacks a value for \"%s\"",
		config->ldap.filter);
}

/* With what all peers have: a breaker, and a bar where credentials are wrong. */
static enum err ask(
	struct provider *p, const char *filter, struct directory_user *out, struct error *e)
{
	struct breaker *breaker = admission_ldap_breaker(p->pass);
	int64_t timeout = p->config->ldap.timeout, began;
	struct barred_peer_try request = {
		.section = BARRED_LDAP,
		.timeout = timeout,
		.once = true, /* an account may be locked by a few tries */
	};
	enum err err = barred_peer_enter(p, &request, e);

	if (!err)
		err = breaker_ask(breaker, "the directory", clock_monotonic_ms(), e);
	if (err)
		return err;
	began = admission_wait_begins(p->pass);
	err = directory_find(p->look_up->directory, filter, began + timeout * 1000, out, e);
	admission_wait_ends(p->pass, began);
	breaker_note(breaker, "the directory", err, began, clock_monotonic_ms());
	/* It has judged the request, whatever it knows of the user. */
	barred_peer_leave(p, &request, err == ERR_UNPROCESSABLE ? ERR_OK : err, e);
	return err;
}

enum err look_up_user(
	struct provider *p, const struct event *event, struct directory_user *out, struct error *e)
{
	struct buf filter = BUF_INIT(FILTER_MAX);
	enum err err = write_filter(p->config, event, &filter, e);

	if (!err)
		err = ask(p, filter.data, out, e);
	buf_free(&filter);
	return err;
}

/* Works out whom an event's certificates are for, from [identity] and the event alone. */

#include "provider/subject_of_event.h"

#include <stdio.h>
#include <string.h>

#include "provider/template.h"

#define EXPANDED_MAX 1024
#define NAME_MAX_BYTES 4096 /* of {name}; what a subject takes of it is cut there */

static enum err expand_value(void *ctx, const char *value, struct buf *out, struct error *e)
{
	return template_expand(value, ctx, out, e);
}

/* --- the configuration, once */

static enum err check_template(const struct config *config, const char *key, const char *text,
	const struct template_values *values, struct error *e)
{
	struct buf out = BUF_INIT(EXPANDED_MAX);
	struct error why;
	enum err err = template_expand(text, values, &out, &why);

	buf_free(&out);
	if (!err && strstr(text, "{uem.") && !config->uem.url)
		err = error_set(&why, ERR_CONFIG, "\"%s\" needs a section [uem]", text);
	return err ? config_error(config, "identity", key, e, "%s", why.text) : ERR_OK;
}

enum err subject_check_config(const struct config *config, struct error *e)
{
	struct template_values values = {.event = NULL};
	struct name name;
	struct error why;
	enum err err = ERR_OK;

	for (char **mail = config->identity.mail; !err && *mail; mail++)
		err = check_template(config, "mail", *mail, &values, e);
	if (!err)
		err = check_template(config, "name", config->identity.name, &values, e);
	if (err)
		return err;
	values.mail = values.name = "x";
	err = name_build(config->identity.subject, expand_value, &values, &name, &why);
	/* an attribute may be empty here, or have one "x" where a country wants two letters */
	if (err && err != ERR_UNPROCESSABLE)
		return config_error(config, "identity", "subject", e, "%s", why.text);
	return ERR_OK;
}

/* --- each event */

bool subject_domain_allowed(const struct config *config, const char *domain)
{
	char **allowed = config->identity.allowed_domains;

	if (!*allowed)
		return true;
	for (; *allowed; allowed++)
		if (strcmp(*allowed, domain) == 0)
			return true;
	return false;
}

/*
 * Makes an address by one template. ERR_NOT_FOUND if a field of the template has no value;
 * ERR_UNPROCESSABLE, with the field, if the address cannot be used.
 */
static enum err try_mail(const char *template, const struct template_values *values,
	struct address *out, struct error *e)
{
	struct buf text = BUF_INIT(EXPANDED_MAX);
	enum err err = template_expand(template, values, &text, e);
	bool expanded = !err;

	if (expanded)
		err = address_parse(text.data ? text.data : "", out, e);
	else if (err == ERR_TOO_LARGE)
		err = error_set(e, ERR_UNPROCESSABLE, "the address is too long");
	if (err == ERR_UNPROCESSABLE && !*e->field)
		template_first_name(template, e->field, sizeof(e->field));
	if (err == ERR_UNPROCESSABLE && expanded && template_lacks_value(template, values))
		err = error_field(e, ERR_NOT_FOUND, e->field, "\"%s\" is empty", template);
	buf_free(&text);
	return err;
}

/*
 * The first template that is not empty decides: an unusable address is never replaced. *known
 * becomes NULL if it is not used.
 */
static enum err find_address(const struct config *config, const struct template_values *values,
	const char **known, struct address *out, struct error *e)
{
	char **mail = config->identity.mail;
	char first[ERROR_FIELD_MAX];
	enum err err = try_mail(*mail, values, out, e);

	if (err != ERR_NOT_FOUND)
		*known = NULL;
	else if (*known)
		err = address_parse(*known, out, e);
	while (err == ERR_NOT_FOUND && *++mail)
		err = try_mail(*mail, values, out, e);
	if (err == ERR_UNPROCESSABLE)
		return error_context(e, "no usable mail address");
	if (err != ERR_NOT_FOUND)
		return err;
	template_first_name(*config->identity.mail, first, sizeof(first));
	return error_field(e, ERR_UNPROCESSABLE, first,
		"no usable mail address: the event has none, and no template of [identity] mail "
		"makes one");
}

static enum err check_domain(
	const struct config *config, const struct address *address, struct error *e)
{
	const char *domain = address->text + address->domain;

	if (subject_domain_allowed(config, domain))
		return ERR_OK;
	return error_field(e, ERR_UNPROCESSABLE, event_field_name(EVENT_ENROLLMENT_EMAIL_ADDRESS),
		"addresses in the domain %s are not allowed here", domain);
}

static enum err find_name(const struct config *config, struct template_values *values,
	struct name *out, struct error *e)
{
	struct buf name = BUF_INIT(NAME_MAX_BYTES);
	enum err err;

	if (values->event->name && *values->event->name)
		buf_puts(&name, values->event->name);
	err = name.len ? buf_check(&name, e)
		       : template_expand(config->identity.name, values, &name, e);
	if (!err) {
		/* two users whose names are empty must not have the same subject */
		values->name = name.len ? name.data : values->mail;
		err = name_build(config->identity.subject, expand_value, values, out, e);
	}
	if (!err && out->count == 0)
		err = error_set(e, ERR_UNPROCESSABLE, "the event has no value for the subject");
	if (err == ERR_TOO_LARGE)
		err = error_set(e, ERR_UNPROCESSABLE, "the name is too long");
	if (err == ERR_UNPROCESSABLE && !*e->field)
		snprintf(e->field, sizeof(e->field), "%s",
			event_field_name(EVENT_ENROLLMENT_USER_NAME));
	buf_free(&name);
	return err;
}

enum err subject_of_event(const struct config *config, const struct event *event, const char *known,
	struct subject *out, struct error *e)
{
	struct template_values values = {.event = event, .whole = true};
	struct address address;
	enum err err = find_address(config, &values, &known, &address, e);

	if (!err)
		err = subject_with_address(config, event, address.text, out, e);
	if (!err)
		out->known = known;
	return err;
}

enum err subject_with_address(const struct config *config, const struct event *event,
	const char *mail, struct subject *out, struct error *e)
{
	struct template_values values = {.event = event};
	struct subject subject = {.time = event->time};
	enum err err = address_parse(mail, &subject.address, e);

	if (!err)
		err = check_domain(config, &subject.address, e);
	values.mail = subject.address.text;
	if (!err)
		err = find_name(config, &values, &subject.name, e);
	if (!err)
		*out = subject;
	return err;
}

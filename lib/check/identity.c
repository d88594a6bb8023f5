#include <string.h>

#include "check/checkup.h"
#include "pki/address.h"
#include "provider/subject_of_event.h"
#include "provider/template.h"

/* Checks [identity]: can the templates ever give an allowed address? */

#define WHAT "identity"
#define EXPANDED_MAX 1024

/* Sample values for fields of an event; one of them makes an address of every good template. */
static char samples[][sizeof("user@example.com")] = {"user", "user@example.com", "example.com"};

static bool gives_address(const char *template, char *sample, struct address *out)
{
	struct event event = {.kind = EVENT_ENROLLED};
	const struct template_values values = {.event = &event};
	struct buf text = BUF_INIT(EXPANDED_MAX);
	struct error e;
	bool good;

	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		event.field[i] = sample;
	good = !template_expand(template, &values, &text, &e) &&
	       !address_parse(text.data ? text.data : "", out, &e);
	buf_free(&text);
	return good;
}

/* Of a template that ends with "@" and a domain of its own, and not with one from the event. */
static bool has_own_domain(const char *template)
{
	const char *at = strrchr(template, '@');

	return at && !strchr(at, '{') && !strchr(at, '}');
}

/* NULL: it is good. Else what is wrong with it, and what to do. */
static const char *fault_of(const struct config *config, const char *template)
{
	struct address address;
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(samples) && !found; i++)
		found = gives_address(template, samples[i], &address);
	if (!found)
		return "can never give a mail address: write it as {EnrollmentEmailAddress} or "
		       "{EnrollmentUserName}@example.com";
	if (has_own_domain(template) &&
		!subject_domain_allowed(config, address.text + address.domain))
		return "always gives addresses in a domain that is not allowed: add it to "
		       "allowed-domains, or correct the template";
	return NULL;
}

/* The event's word alone then says whose mail a device can read. */
static void check_domains(struct checkup *c)
{
	bool any = false;

	for (char **mail = c->config->identity.mail; *mail; mail++)
		any |= !has_own_domain(*mail);
	if (any && !*c->config->identity.allowed_domains)
		checkup_warns(c, "allowed-domains",
			"empty, so that an event can ask for certificates of any mail address in "
			"the world: set allowed-domains in [identity] to your mail domains");
}

static void check_templates(struct checkup *c)
{
	size_t good = 0;
	struct error e;

	for (char **mail = c->config->identity.mail; *mail; mail++)
		good += !fault_of(c->config, *mail);
	for (char **mail = c->config->identity.mail; *mail; mail++) {
		const char *fault = fault_of(c->config, *mail);

		if (fault && good)
			checkup_warns(c, WHAT, "\"%s\" in mail %s", *mail, fault);
		else if (fault)
			checkup_found(c, WHAT,
				config_error(c->config, "identity", "mail", &e, "\"%s\" %s", *mail,
					fault),
				e.text);
	}
	if (good)
		checkup_holds(c, WHAT, "templates of mail, name and subject can be used");
}

void check_identity(struct checkup *c)
{
	struct error e;
	enum err err = subject_check_config(c->config, &e);

	if (err)
		checkup_found(c, WHAT, err, e.text);
	else
		check_templates(c);
	check_domains(c);
}

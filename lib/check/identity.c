/* [identity]: can its templates ever give an allowed mail address? */

#include <string.h>

#include "check/subject.h"
#include "pki/address.h"
#include "provider/subject_of_event.h"
#include "provider/template.h"
#include "uem/user.h"

#define ABOUT "identity"
#define EXPANDED_MAX 1024

/* Values for the fields of an event; every good template gives an address with one of them. */
static char samples[][sizeof("user@example.com")] = {"user", "user@example.com", "example.com"};

static bool gives_address(const char *template, char *sample, struct address *out)
{
	struct uem_user user = {.id = 0};
	struct event event = {.kind = EVENT_ENROLLED, .uem = &user};
	const struct template_values values = {.event = &event};
	struct buf text = BUF_INIT(EXPANDED_MAX);
	struct error e;
	bool good;

	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		event.field[i] = sample;
	for (size_t i = 0; i < UEM_FIELD_COUNT; i++)
		user.field[i] = sample;
	good = !template_expand(template, &values, &text, &e) &&
	       !address_parse(text.data ? text.data : "", out, &e);
	buf_free(&text);
	return good;
}

/* True of a template that ends with "@" and a domain, rather than with one from the event. */
static bool has_own_domain(const char *template)
{
	const char *at = strrchr(template, '@');

	return at && !strchr(at, '{') && !strchr(at, '}');
}

/* What is wrong with a template, and how to fix it. NULL: it is good. */
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

/* Without allowed domains, the event alone decides whose mail a device can read. */
static void check_domains(struct check *c)
{
	bool any = false;

	for (char **mail = c->config->identity.mail; *mail; mail++)
		any |= !has_own_domain(*mail);
	if (any && !*c->config->identity.allowed_domains)
		finding_warn(c, "allowed-domains",
			"empty, so that an event can ask for certificates of any mail address in "
			"the world" FIX "set allowed-domains in [identity] to your mail domains");
}

static void check_templates(struct check *c)
{
	size_t good = 0;
	struct error e;

	for (char **mail = c->config->identity.mail; *mail; mail++)
		good += !fault_of(c->config, *mail);
	for (char **mail = c->config->identity.mail; *mail; mail++) {
		const char *fault = fault_of(c->config, *mail);

		if (fault && good) {
			finding_warn(c, ABOUT, "\"%s\" in mail %s", *mail, fault);
		} else if (fault) {
			(void)config_error(
				c->config, "identity", "mail", &e, "\"%s\" %s", *mail, fault);
			finding_error(c, ABOUT, &e);
		}
	}
	if (good)
		finding_good(c, ABOUT, "templates of mail, name and subject can be used");
}

static bool check_config(struct check *c)
{
	struct error e;
	enum err err = subject_check_config(c->config, &e);

	if (err)
		finding_error(c, ABOUT, &e);
	return !err;
}

static void check(struct check *c)
{
	if (check_config(c))
		check_templates(c);
	check_domains(c);
}

static void check_start(struct check *c)
{
	(void)check_config(c);
}

const struct check_subject subject_identity = {check, check_start};

#include <stdio.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "check/checkup.h"
#include "net/http.h"
#include "net/identity.h"
#include "pki/crl.h"
#include "pki/token.h"
#include "provider/internal.h"

/* The certificate authority, and whether others can learn what it has revoked. */

#define URL_WHAT "revocation list's URL"
#define URL_WAIT_MS 5000
#define LIST_MAX (16 * 1024 * 1024)

/* Only where one is out: as long as nobody has asked for it there is none. */
static void check_list(struct checkup *c, const struct blob *ca)
{
	struct expiry expiry = {.level = EXPIRY_NONE};
	struct buf text = BUF_INIT(2048);

	if (c->store)
		expiry = expiry_of_crl(c->config, c->store, ca);
	if (expiry.level == EXPIRY_NONE)
		return;
	expiry_text(&expiry, &text);
	checkup_expiry(c, "revocation list", &expiry, text.data);
	buf_free(&text);
}

static enum err fetch(const char *url, struct http_answer *out, struct error *e)
{
	const struct http_options options = {.identity = NULL};
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.plain = true,
		.deadline = clock_monotonic_ms() + URL_WAIT_MS,
		.answer_max = LIST_MAX,
	};
	struct http_client *client = NULL;
	enum err err = http_client_new(&options, &client, e);

	if (!err)
		err = http_send(client, &request, out, e);
	http_client_free(client);
	return err;
}

/* The list at the URL must be ours, and current. */
static enum err judge(const struct http_answer *answer, const struct blob *ca, struct error *e)
{
	int64_t next_update = 0;
	enum err err;

	if (answer->status != 200)
		return error_set(e, ERR_REFUSED, "status %d", answer->status);
	err = crl_verify(&answer->body, ca, &next_update, e);
	if (!err && next_update >= 0 && next_update < clock_now())
		err = error_set(e, ERR_REFUSED, "the list there has expired");
	return err;
}

/* Never more than a warning: mail readers may be in another network than we. */
static void check_url(struct checkup *c, const char *url, const struct blob *ca)
{
	struct http_answer answer = {0};
	struct error e;
	enum err err;

	if (!url) {
		checkup_warns(c, URL_WHAT,
			"there is none, so mail readers cannot learn of revocations: set crl-url "
			"in [ca] "
			"to the web server's /certprov/ca.crl before certificates are issued");
		return;
	}
	err = fetch(url, &answer, &e);
	if (!err) {
		err = judge(&answer, ca, &e);
		http_answer_free(&answer);
	}
	if (err)
		checkup_warns(c, URL_WHAT,
			"%s does not give our list (%s): let the web server answer there, or "
			"correct crl-url in [ca]",
			url, e.text);
	else
		checkup_holds(c, URL_WHAT, "%s", url);
}

/* Where it is a file, it is read with the CA. */
static void check_key(struct checkup *c, const struct config_ca *section, const char *what)
{
	char name[40];
	struct error e;
	enum err err;

	if (!token_is_url(section->key))
		return;
	snprintf(name, sizeof(name), "%s key", what);
	err = ca_local_check_key(section, &e);
	if (err)
		checkup_found(c, name, err, e.text);
	else
		checkup_holds(c, name, "it signs, in its token");
}

/* A local CA: we publish its list, too. */
static void check_local(struct checkup *c, struct ca *ca, const char *what)
{
	struct certificate_info info;
	struct chain chain = {0};
	struct error e;
	enum err err = ca_chain(ca, ca_deadline(ca), &chain, &e);

	if (err) {
		checkup_found(c, what, err, e.text);
	} else if (checkup_certificate(c, what, EXPIRY_CA, &chain.certificate[0], &info)) {
		check_key(c, ca_config(ca), what);
		check_list(c, &chain.certificate[0]);
		check_url(c, ca_config(ca)->crl_url, &chain.certificate[0]);
	}
	chain_free(&chain);
}

/* An event that should revoke is still answered as usual; only the log tells. */
static void check_revocation(struct checkup *c, enum ca_type type, const char *what)
{
	bool never = type == CA_EST || type == CA_ADCS || type == CA_COMMAND;

	if (never && c->config->events.on_unenroll != UNENROLL_KEEP)
		checkup_warns(c, what,
			"a CA of type %s cannot revoke from here, as on-unenroll in [events] "
			"demands: set on-unenroll = keep, and revoke at the CA",
			ca_type_names[type]);
}

/* From that day on what it issues cannot last as long as [certificates] validity says. */
static void check_end(struct checkup *c, const char *what, const struct chain *chain)
{
	int64_t end = INT64_MAX, now = clock_now();
	struct certificate_info info;
	char date[CLOCK_RFC3339_SIZE], name[64];
	struct error ignored;

	for (size_t i = 0; i < chain->count; i++)
		if (certificate_info(&chain->certificate[i], &info, &ignored) == ERR_OK &&
			info.not_after < end)
			end = info.not_after;
	if (end >= now + c->config->certificates.validity)
		return;
	snprintf(name, sizeof(name), "%s certificate", what);
	clock_rfc3339(end, date);
	checkup_warns(c, name,
		"it, or a CA above it, ends %s: until then certificates are shorter than validity "
		"in [certificates]; renew the CA certificate",
		date);
}

/* As it says itself; that of a program is known from issuer-file alone. */
static void check_remote_end(struct checkup *c, struct ca *ca, const char *what)
{
	struct chain chain = {0};
	struct error e;

	if (ca_chain(ca, ca_deadline(ca), &chain, &e) == ERR_OK)
		check_end(c, what, &chain);
	chain_free(&chain);
}

static void check_identity_of(struct checkup *c, const struct ca *ca, const char *what)
{
	const struct identity *identity = ca_identity(ca);
	struct certificate_info info;
	char name[64];

	if (!identity || !identity_certificate(identity)->data)
		return;
	snprintf(name, sizeof(name), "%s client certificate", what);
	checkup_certificate(c, name, EXPIRY_RA, identity_certificate(identity), &info);
}

static void check_remote(struct checkup *c, struct ca *ca, const char *what)
{
	const struct config_ca *section = ca_config(ca);
	struct error e;
	enum err err = ca_probe(ca, ca_deadline(ca), &e);

	if (err)
		checkup_found(c, what, err, e.text);
	else if (section->program)
		checkup_holds(c, what, "%s can be run", section->program);
	else
		checkup_holds(
			c, what, "%s answers (%s)", section->url, ca_type_names[section->type]);
	if (!err)
		check_remote_end(c, ca, what);
	check_identity_of(c, ca, what);
	check_revocation(c, section->type, what);
}

/* Gives the CA where it can be opened. */
static struct ca *check_section(struct checkup *c, const struct config_ca *section)
{
	/* "CA", "CA signing" */
	const char *own = section->section[2] ? section->section + 2 : "";
	char what[32];
	struct ca *ca = NULL;
	struct error e;
	enum err err = ca_open(c->config, section, &ca, &e);

	snprintf(what, sizeof(what), "CA%s", own);
	if (err)
		checkup_found(c, what, err, e.text);
	else if (section->type == CA_LOCAL)
		check_local(c, ca, what);
	else
		check_remote(c, ca, what);
	return ca;
}

void check_ca(struct checkup *c)
{
	const struct config_ca *signing = config_ca(c->config, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(c->config, USAGE_ENCRYPTION);
	struct ca *one = check_section(c, signing), *other = NULL;
	struct error e;
	enum err err;

	if (encryption != signing)
		other = check_section(c, encryption);
	err = one && other ? check_ca_names(c->config, one, other, &e) : ERR_OK;
	if (err)
		checkup_found(c, "CA names", err, e.text);
	ca_close(one);
	ca_close(other);
}

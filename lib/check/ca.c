/*
 * The certificate authorities: can they issue, do they or their certificates end soon, and can mail
 * readers learn what was revoked?
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "ca/local.h"
#include "check/certificate.h"
#include "check/subject.h"
#include "net/http.h"
#include "net/identity.h"
#include "pki/crl.h"
#include "pki/token.h"
#include "provider/expiry_gather.h"
#include "provider/local_ca.h"

#define URL "revocation list's URL"
#define URL_WAIT_MS 5000
#define LIST_MAX (16 * 1024 * 1024)

/* There is none until somebody has asked for it. */
static void check_list(struct check *c, const struct blob *ca)
{
	struct expiry expiry = {.level = EXPIRY_NONE};
	struct buf text = BUF_INIT(2048);

	if (c->store)
		expiry = expiry_of_crl(c->config, c->store, ca);
	if (expiry.level == EXPIRY_NONE)
		return;
	expiry_text(&expiry, &text);
	check_expiry(c, "revocation list", &expiry, text.data);
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

/* The list at the URL must be ours, and in force. */
static enum err judge_list(const struct http_answer *answer, const struct blob *ca, struct error *e)
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

/* Checks crl-url. A warning at most: mail readers may be in another network than we are. */
static void check_url(struct check *c, const char *url, const struct blob *ca)
{
	struct http_answer answer = {0};
	struct error e;
	enum err err;

	if (!url) {
		finding_warn(c, URL,
			"there is none, so mail readers cannot learn of revocations" FIX
			"set crl-url in [ca] to the web server's /certprov/ca.crl before "
			"certificates are issued");
		return;
	}
	err = fetch(url, &answer, &e);
	if (!err) {
		err = judge_list(&answer, ca, &e);
		http_answer_free(&answer);
	}
	if (err)
		finding_warn(c, URL,
			"%s does not serve our revocation list (%s)" FIX
			"let the web server answer there, or correct crl-url in [ca]",
			url, e.text);
	else
		finding_good(c, URL, "%s", url);
}

/* Checks a key in a token; a key in a file was read when the CA was opened. */
static void check_key(struct check *c, const struct config_ca *section, const char *about)
{
	char name[40];
	struct error e;
	enum err err;

	if (!token_is_url(section->key))
		return;
	snprintf(name, sizeof(name), "%s key", about);
	err = ca_local_check_key(section, &e);
	finding_result(c, name, err, &e, "it signs in its token");
}

/* Checks a local CA: its certificate, its key, and the revocation list that we publish. */
static void check_local(struct check *c, struct ca *ca, const char *about)
{
	struct certificate_info info;
	struct chain chain = {0};
	struct error e;

	if (ca_chain(ca, ca_deadline(ca), &chain, &e)) {
		finding_error(c, about, &e);
	} else if (check_certificate(c, about, EXPIRY_CA, &chain.certificate[0], &info)) {
		check_key(c, ca_config(ca), about);
		check_list(c, &chain.certificate[0]);
		check_url(c, ca_config(ca)->crl_url, &chain.certificate[0]);
	}
	chain_free(&chain);
}

/* An event that should revoke is answered as usual; only the log says that nothing was revoked. */
static void check_revocation(struct check *c, const struct ca *ca, const char *about)
{
	if (!ca_can_revoke(ca) && c->config->events.on_unenroll != UNENROLL_KEEP)
		finding_warn(c, about,
			"on-unenroll in [events] demands revocation, but certprov cannot revoke at "
			"a CA of type %s" FIX "set on-unenroll = keep, and revoke at the CA",
			ca_type_names[ca_config(ca)->type]);
}

/* No certificate outlives the CA: near its end they are shorter than [certificates] validity. */
static void check_end(struct check *c, const char *about, const struct chain *chain)
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
	snprintf(name, sizeof(name), "%s certificate", about);
	clock_rfc3339(end, date);
	finding_warn(c, name,
		"it, or a CA above it, ends %s: until then certificates are shorter than validity "
		"in [certificates]" FIX "renew the CA certificate",
		date);
}

/* By the chain that the CA gives; of a program only issuer-file has one. */
static void check_remote_end(struct check *c, struct ca *ca, const char *about)
{
	struct chain chain = {0};
	struct error e;

	if (ca_chain(ca, ca_deadline(ca), &chain, &e) == ERR_OK)
		check_end(c, about, &chain);
	chain_free(&chain);
}

static void check_identity_of(struct check *c, const struct ca *ca, const char *about)
{
	const struct identity *identity = ca_identity(ca);
	struct certificate_info info;
	char name[64];

	if (!identity || !identity_certificate(identity)->data)
		return;
	snprintf(name, sizeof(name), "%s client certificate", about);
	check_certificate(c, name, EXPIRY_RA, identity_certificate(identity), &info);
}

static void check_remote(struct check *c, struct ca *ca, const char *about)
{
	const struct config_ca *section = ca_config(ca);
	struct error e;
	enum err err = ca_probe(ca, ca_deadline(ca), &e);

	if (err)
		finding_error(c, about, &e);
	else if (section->program)
		finding_good(c, about, "%s can be run", section->program);
	else
		finding_good(
			c, about, "%s answers (%s)", section->url, ca_type_names[section->type]);
	if (!err)
		check_remote_end(c, ca, about);
	check_identity_of(c, ca, about);
	check_revocation(c, ca, about);
}

/* "CA", "CA signing" of "ca", "ca signing" */
static void name_of(const struct config_ca *section, char about[32])
{
	snprintf(about, 32, "CA%s", section->section + strlen("ca"));
}

/* NULL: it cannot be opened, which is reported. */
static struct ca *open_section(struct check *c, const struct config_ca *section)
{
	char about[32];
	struct ca *ca = NULL;
	struct error e;

	name_of(section, about);
	if (ca_open(c->config, section, &ca, &e))
		finding_error(c, about, &e);
	return ca;
}

/* Checks it, too; else as open_section(). */
static struct ca *check_section(struct check *c, const struct config_ca *section)
{
	struct ca *ca = open_section(c, section);
	char about[32];

	name_of(section, about);
	if (ca && section->type == CA_LOCAL)
		check_local(c, ca, about);
	else if (ca)
		check_remote(c, ca, about);
	return ca;
}

static void check(struct check *c)
{
	const struct config_ca *signing = config_ca(c->config, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(c->config, USAGE_ENCRYPTION);
	struct ca *one = check_section(c, signing), *other = NULL;
	struct error e;

	if (encryption != signing)
		other = check_section(c, encryption);
	if (one && other && local_ca_check_names(c->config, one, other, &e))
		finding_error(c, "CA names", &e);
	ca_close(one);
	ca_close(other);
}

/* A token may need a while to be there; its keys are tried when they are used. */
static void start_section(struct check *c, const struct config_ca *section)
{
	if (!token_is_url(section->key))
		ca_close(open_section(c, section));
}

static void check_start(struct check *c)
{
	const struct config_ca *signing = config_ca(c->config, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(c->config, USAGE_ENCRYPTION);

	start_section(c, signing);
	if (encryption != signing)
		start_section(c, encryption);
}

const struct check_subject subject_ca = {check, check_start};

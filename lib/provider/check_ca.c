#include "base/clock.h"
#include "ca/ca.h"
#include "net/http.h"
#include "pki/crl.h"
#include "provider/checkup.h"

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

/* What is there must be our list, and of this time. */
static enum err judge(const struct http_answer *answer, const struct blob *ca, struct error *e)
{
	int64_t next_update = 0;
	enum err err;

	if (answer->status != 200)
		return error_set(e, ERR_REFUSED, "status %d", answer->status);
	err = crl_verify(&answer->body, ca, &next_update, e);
	if (!err && next_update >= 0 && next_update < clock_now())
		err = error_set(e, ERR_REFUSED, "the list there has ended");
	return err;
}

/* Never more than a warning: whoever reads mail may be in another network than we. */
static void check_url(struct checkup *c, const struct blob *ca)
{
	const char *url = c->config->ca.crl_url;
	struct http_answer answer = {0};
	struct error e;
	enum err err;

	if (!url) {
		checkup_warns(c, URL_WHAT,
			"there is none, so nobody can learn what is revoked: set crl-url in [ca] "
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
			"%s gives no list of ours (%s): let the web server answer there, or "
			"correct crl-url in [ca]",
			url, e.text);
	else
		checkup_holds(c, URL_WHAT, "%s", url);
}

void check_ca(struct checkup *c)
{
	struct blob certificate = {NULL, 0};
	struct certificate_info info;
	struct ca *ca = NULL;
	struct error e;
	enum err err = ca_open(c->config, &ca, &e);

	if (!err)
		err = ca_certificate(ca, &certificate, &e);
	if (err) {
		checkup_found(c, "CA", err, e.text);
	} else if (checkup_certificate(c, "CA", EXPIRY_CA, &certificate, &info)) {
		check_list(c, &certificate);
		check_url(c, &certificate);
	}
	blob_free(&certificate);
	ca_close(ca);
}

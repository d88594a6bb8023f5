#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/users.h"
#include "ca/ca.h"
#include "escrow/escrow.h"
#include "pki/certificate.h"
#include "provider/expiry.h"
#include "provider/internal.h"
#include "provider/person.h"
#include "store/rekey.h"

/* Seconds; as much as a certificate is dated back for. */
#define CLOCK_LEEWAY (5 * 60)

/* A check-up in work: findings go to report, the worst of them is kept. */
struct checkup {
	const struct config *config;
	provider_report *report;
	void *ctx;
	struct store *store; /* NULL: it cannot be opened */
	enum err worst;
};

/* Errors begin with what they are about; the finding's name says it already. */
static const char *without_name(const char *text, const char *what)
{
	size_t len = strlen(what);

	return strncmp(text, what, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
										  : text;
}

/* What may mend itself gives way to what needs a person: a later try would not help then. */
static void found(struct checkup *c, const char *what, enum err err, const char *text)
{
	c->report(c->ctx, what, err, false, without_name(text, what));
	if (c->worst == ERR_OK || c->worst == ERR_UNAVAILABLE)
		c->worst = err ? err : c->worst;
}

/* What holds but wants a look. */
static void warned(struct checkup *c, const char *what, const char *text)
{
	c->report(c->ctx, what, ERR_OK, true, text);
}

static void check_identity_rules(struct checkup *c)
{
	struct error e;
	enum err err = person_check_config(c->config, &e);

	found(c, "identity", err, err ? e.text : "templates of mail, name and subject can be used");
}

/* What has ended fails, what is about to warns. */
static void found_expiry(
	struct checkup *c, const char *what, const struct expiry *expiry, const char *text)
{
	if (expiry_is_over(expiry))
		found(c, what, ERR_CONFIG, text);
	else if (expiry_is_near(expiry))
		warned(c, what, text);
	else
		found(c, what, ERR_OK, text);
}

static void check_certificate(
	struct checkup *c, const char *name, enum expiry_what what, const struct blob *der)
{
	struct buf text = BUF_INIT(2048);
	struct certificate_info info;
	struct expiry expiry;
	struct error e;
	enum err err = certificate_info(der, &info, &e);

	if (err) {
		found(c, name, err, e.text);
		return;
	}
	expiry = expiry_judge(what, info.not_before, info.not_after);
	buf_printf(&text, "%s ", info.subject);
	expiry_text(&expiry, &text);
	if (what == EXPIRY_CLIENT)
		buf_printf(&text, "; thumbprints SHA-1 %s SHA-256 %s", info.sha1, info.sha256);
	found_expiry(c, name, &expiry, text.data);
	buf_free(&text);
}

static void check_users(struct checkup *c, const char *what, const char *file)
{
	struct users users = {0, NULL};
	struct error e;
	enum err err;

	if (!file)
		return;
	err = users_load(file, &users, &e);
	found(c, what, err, err ? e.text : file);
	users_free(&users);
}

static void check_audit(struct checkup *c)
{
	struct buf text = BUF_INIT(256);
	struct error e;
	int64_t count = 0;
	enum err err = store_audit_verify(c->store, &count, &e);

	buf_printf(&text, "%lld entries, all as they were written", (long long)count);
	found(c, "audit trail", err, err ? e.text : text.data);
	buf_free(&text);
}

static void found_store(struct checkup *c)
{
	struct buf text = BUF_INIT(2048);

	found(c, "store", ERR_OK, c->config->store.sqlite);
	if (store_key_count(c->store) == 1)
		return;
	buf_printf(&text,
		"%s has %zu: certprov rekey is at work, or was not finished: run it again",
		c->config->store.key_file, store_key_count(c->store));
	warned(c, "master keys", text.data);
	buf_free(&text);
}

static void check_store(struct checkup *c)
{
	struct error e;
	enum err err = store_open(c->config, &c->store, &e);

	if (!err)
		err = store_ping(c->store, &e);
	if (err)
		found(c, "store", err, e.text);
	else
		found_store(c);
	if (!err)
		check_audit(c);
}

/* Only where one is out: as long as nobody has asked for it there is none. */
static void check_crl(struct checkup *c, const struct blob *ca)
{
	struct expiry expiry = {.level = EXPIRY_NONE};
	struct buf text = BUF_INIT(2048);

	if (c->store)
		expiry = expiry_of_crl(c->config, c->store, ca);
	if (expiry.level == EXPIRY_NONE)
		return;
	expiry_text(&expiry, &text);
	found_expiry(c, "revocation list", &expiry, text.data);
	buf_free(&text);
}

static void check_ca(struct checkup *c)
{
	struct blob certificate = {NULL, 0};
	struct ca *ca = NULL;
	struct error e;
	enum err err = ca_open(c->config, &ca, &e);

	if (!err)
		err = ca_certificate(ca, &certificate, &e);
	if (err) {
		found(c, "CA", err, e.text);
	} else {
		check_certificate(c, "CA", EXPIRY_CA, &certificate);
		check_crl(c, &certificate);
	}
	blob_free(&certificate);
	ca_close(ca);
}

static void check_pkcs12_password(struct checkup *c)
{
	const char *file = c->config->escrow.pkcs12_password_file;
	struct blob password = {NULL, 0};
	struct error e;
	enum err err;

	if (!file)
		return;
	err = read_pkcs12_password(file, &password, &e);
	found(c, "PKCS#12 password", err, err ? e.text : file);
	blob_free(&password);
}

/* Whose clock is wrong we can't tell; certificates and lists bear the time of ours. */
static void check_clock(struct checkup *c, int64_t ahead, const char *url)
{
	char text[ERROR_TEXT_MAX];

	if (llabs(ahead) <= CLOCK_LEEWAY) {
		found(c, "clock", ERR_OK, "agrees with the Escrow Gateway's");
		return;
	}
	snprintf(text, sizeof(text), "ours is %lld minutes %s that of %s: set both by NTP",
		llabs(ahead) / 60, ahead > 0 ? "ahead of" : "behind", url);
	warned(c, "clock", text);
}

static void check_gateway(struct checkup *c, struct escrow *escrow, size_t i)
{
	int64_t deadline = clock_monotonic_ms() + c->config->escrow.timeout * 1000;
	struct escrow_answer answer = {0, 0};
	struct error e;
	enum err err = escrow_probe(escrow, i, deadline, &answer, &e);

	found(c, "Escrow Gateway", err, err ? e.text : escrow_url(escrow, i));
	if (answer.date)
		check_clock(c, clock_now() - answer.date, escrow_url(escrow, i));
}

static void check_gateways(struct checkup *c)
{
	struct escrow *escrow = NULL;
	struct error e;
	enum err err = escrow_open(c->config, &escrow, &e);

	if (err) {
		found(c, "Escrow Gateway", err, e.text);
		return;
	}
	check_certificate(c, expiry_name(EXPIRY_CLIENT), EXPIRY_CLIENT, escrow_identity(escrow));
	for (size_t i = 0; i < escrow_count(escrow); i++)
		check_gateway(c, escrow, i);
	escrow_close(escrow);
}

enum err provider_check(const struct config *config, provider_report *report, void *ctx)
{
	struct checkup c = {.config = config, .report = report, .ctx = ctx};

	check_users(&c, "events.users-file", config->events.users_file);
	check_users(&c, "admin.users-file", config->admin.users_file);
	check_identity_rules(&c);
	check_store(&c);
	check_ca(&c);
	check_pkcs12_password(&c);
	check_gateways(&c);
	store_close(c.store);
	return c.worst;
}

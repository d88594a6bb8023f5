#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/users.h"
#include "ca/ca.h"
#include "escrow/escrow.h"
#include "pki/certificate.h"
#include "provider/internal.h"
#include "provider/person.h"

#define DAY 86400
#define WARN_DAYS 30

/* A check-up in work: findings go to report, the worst of them is kept. */
struct checkup {
	const struct config *config;
	provider_report *report;
	void *ctx;
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
	c->report(c->ctx, what, err, without_name(text, what));
	if (c->worst == ERR_OK || c->worst == ERR_UNAVAILABLE)
		c->worst = err ? err : c->worst;
}

static void check_identity_rules(struct checkup *c)
{
	struct error e;
	enum err err = person_check_config(c->config, &e);

	found(c, "identity", err, err ? e.text : "templates of mail, name and subject can be used");
}

/* "ends 2027-11-23T00:00:00Z, 364 days left"; ERR_CONFIG if it has ended or has not begun. */
static enum err print_validity(const struct certificate_info *info, struct buf *out)
{
	int64_t now = clock_now(), left = (info->not_after - now) / DAY;
	char end[CLOCK_RFC3339_SIZE];

	clock_rfc3339(info->not_after, end);
	if (info->not_before > now)
		buf_puts(out, "is not valid yet; ");
	if (info->not_after <= now)
		buf_printf(out, "ended %s: replace it", end);
	else
		buf_printf(out, "ends %s, %lld days left%s", end, (long long)left,
			left < WARN_DAYS ? ": replace it soon" : "");
	return info->not_before > now || info->not_after <= now ? ERR_CONFIG : ERR_OK;
}

static void check_certificate(
	struct checkup *c, const char *what, const struct blob *der, bool thumbprints)
{
	struct buf text = BUF_INIT(2048);
	struct certificate_info info;
	struct error e;
	enum err err = certificate_info(der, &info, &e);

	if (!err) {
		buf_printf(&text, "%s ", info.subject);
		err = print_validity(&info, &text);
		if (thumbprints)
			buf_printf(
				&text, "; thumbprints SHA-1 %s SHA-256 %s", info.sha1, info.sha256);
		found(c, what, err, text.data);
	} else {
		found(c, what, err, e.text);
	}
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

static void check_audit(struct checkup *c, struct store *store)
{
	struct buf text = BUF_INIT(256);
	struct error e;
	int64_t count = 0;
	enum err err = store_audit_verify(store, &count, &e);

	buf_printf(&text, "%lld entries, all as they were written", (long long)count);
	found(c, "audit trail", err, err ? e.text : text.data);
	buf_free(&text);
}

static void check_store(struct checkup *c)
{
	struct store *store = NULL;
	struct error e;
	enum err err = store_open(c->config, &store, &e);

	if (!err)
		err = store_ping(store, &e);
	found(c, "store", err, err ? e.text : c->config->store.sqlite);
	if (!err)
		check_audit(c, store);
	store_close(store);
}

static void check_ca(struct checkup *c)
{
	struct blob certificate = {NULL, 0};
	struct ca *ca = NULL;
	struct error e;
	enum err err = ca_open(c->config, &ca, &e);

	if (!err)
		err = ca_certificate(ca, &certificate, &e);
	if (err)
		found(c, "CA", err, e.text);
	else
		check_certificate(c, "CA", &certificate, false);
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

static void check_gateways(struct checkup *c)
{
	struct escrow *escrow = NULL;
	struct error e;
	enum err err = escrow_open(c->config, &escrow, &e);

	if (err) {
		found(c, "Escrow Gateway", err, e.text);
		return;
	}
	check_certificate(c, "our client certificate", escrow_identity(escrow), true);
	for (size_t i = 0; i < escrow_count(escrow); i++) {
		int64_t deadline = clock_monotonic_ms() + c->config->escrow.timeout * 1000;

		err = escrow_probe(escrow, i, deadline, &e);
		found(c, "Escrow Gateway", err, err ? e.text : escrow_url(escrow, i));
	}
	escrow_close(escrow);
}

enum err provider_check(const struct config *config, provider_report *report, void *ctx)
{
	struct checkup c = {config, report, ctx, ERR_OK};

	check_users(&c, "events.users-file", config->events.users_file);
	check_users(&c, "admin.users-file", config->admin.users_file);
	check_identity_rules(&c);
	check_store(&c);
	check_ca(&c);
	check_pkcs12_password(&c);
	check_gateways(&c);
	return c.worst;
}

/*
 * A CA of any kind, as the rest of the program uses it: opens it, gives each order to its kind, and
 * checks every certificate that comes back.
 */

#include "ca/ca.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "ca/ca_kind.h"
#include "ca/remote.h"
#include "pki/certificate_check.h"
#include "pki/chain_build.h"

static const struct ca_kind *const kinds[CA_TYPE_COUNT] = {
#define ROW(NAME, name) [CA_##NAME] = &ca_##name,
	CA_TYPES(ROW)
#undef ROW
};

struct ca {
	const struct config_ca *config;
	const struct ca_kind *kind;
	void *self;
	int64_t validity; /* seconds: what we ask for */
	struct certificates issuers;
};

enum err ca_open(const struct config *config, const struct config_ca *section, struct ca **out,
	struct error *e)
{
	struct ca *ca = NULL;
	enum err err = ERR_OK;

	ca = calloc(1, sizeof(*ca));
	if (!ca)
		return error_memory(e);
	ca->config = section;
	ca->kind = kinds[section->type];
	ca->validity = config->certificates.validity;
	if (section->issuer_file)
		err = certificates_add_file(&ca->issuers, section->issuer_file, e);
	if (!err)
		err = ca->kind->open(config, section, &ca->self, e);
	if (err)
		ca_close(ca);
	else
		*out = ca;
	return err;
}

void ca_close(struct ca *ca)
{
	if (!ca)
		return;
	if (ca->self)
		ca->kind->close(ca->self);
	certificates_free(&ca->issuers);
	free(ca);
}

const struct config_ca *ca_config(const struct ca *ca)
{
	return ca->config;
}

const struct identity *ca_identity(const struct ca *ca)
{
	return ca->kind->identity ? ca->kind->identity(ca->self) : NULL;
}

bool ca_wants_request(const struct ca *ca)
{
	return ca->kind->wants_request;
}

int64_t ca_deadline(const struct ca *ca)
{
	return clock_monotonic_ms() + ca->config->timeout * 1000;
}

#define TERMS_MAX (64 * 1024)

enum err ca_terms(const struct ca *ca, char out[CA_TERMS_SIZE], struct error *e)
{
	struct buf list = BUF_INIT(TERMS_MAX);
	enum err err;

	config_ca_terms(ca->config, &list);
	err = buf_check(&list, e);
	if (!err)
		err = digest_hex(list.data, list.len, out, e);
	buf_free(&list);
	return err;
}

#define LOCAL_LEEWAY 3600 /* seconds that a certificate of the local CA may last longer */

static enum err check(const struct ca *ca, const struct ca_order *order, const struct chain *chain,
	struct error *e)
{
	struct blob public_key = {NULL, 0};
	const struct certificate_demand demand = {
		.usage = order->usage,
		.address = order->address,
		.public_key = &public_key,
		.now = order->now,
		.validity = ca->validity,
		.leeway = ca->kind->wants_request ? ca->config->validity_leeway : LOCAL_LEEWAY,
		.issuers = ca->issuers.count ? &ca->issuers : NULL,
	};
	enum err err = key_public(order->key, &public_key, e);

	if (!err)
		err = certificate_check(chain, &demand, e);
	blob_free(&public_key);
	return err;
}

enum err ca_issue(
	struct ca *ca, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	struct ca_answer answer = {.handle = ""};
	struct ca_order whole = *order;
	enum err err;

	whole.issuers = &ca->issuers;
	err = ca->kind->issue(ca->self, &whole, &answer, e);
	if (!err)
		err = check(ca, order, &answer.chain, e);
	if (err)
		chain_free(&answer.chain);
	if (!err || err == ERR_PENDING || err == ERR_GARBLED)
		*out = answer;
	return err;
}

enum err ca_chain(struct ca *ca, int64_t deadline, struct chain *out, struct error *e)
{
	if (ca->kind->chain)
		return remote_nothing_issued(ca->kind->chain(ca->self, deadline, out, e), e);
	if (ca->issuers.count)
		return chain_longest(&ca->issuers, out, e);
	return error_set(e, ERR_NOT_FOUND,
		"a CA of type %s cannot be asked for its certificate: set issuer-file in [%s]",
		ca_type_names[ca->config->type], ca->config->section);
}

enum err ca_probe(struct ca *ca, int64_t deadline, struct error *e)
{
	struct chain chain = {0};
	enum err err;

	if (ca->kind->probe)
		return remote_nothing_issued(ca->kind->probe(ca->self, deadline, e), e);
	err = ca_chain(ca, deadline, &chain, e);
	chain_free(&chain);
	return err;
}

bool ca_can_revoke(const struct ca *ca)
{
	return ca->kind->revoke;
}

enum err ca_revoke(struct ca *ca, const struct ca_revocation *revocation, struct error *e)
{
	if (!ca->kind->revoke)
		return error_set(e, ERR_REFUSED, "a CA of type %s cannot revoke from here",
			ca_type_names[ca->config->type]);
	return remote_nothing_issued(ca->kind->revoke(ca->self, revocation, e), e);
}

bool ca_has_crl(const struct ca *ca)
{
	return ca->kind->crl;
}

enum err ca_crl(struct ca *ca, const struct crl_order *order, struct blob *out, struct error *e)
{
	return ca->kind->crl(ca->self, order, out, e);
}

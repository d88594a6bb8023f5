/*
 * What an external CA says of its own certificates: asked for, kept, and used to complete the chain
 * of what it issues.
 */

#include "ca/known_cas.h"

#include <string.h>

#include "base/clock.h"
#include "pki/chain_build.h"

void known_cas_free(struct known_cas *known)
{
	certificates_free(&known->list);
}

/* An incomplete or empty set is freed and replaces nothing. */
static void replace(struct known_cas *known, struct certificates *got, enum err err)
{
	if (err || !got->count) {
		certificates_free(got);
		return;
	}
	certificates_free(&known->list);
	known->list = *got;
	known->asked_at = clock_monotonic_ms();
}

enum err known_cas_ask(struct known_cas *known, int64_t deadline, struct error *e)
{
	struct certificates got = {.count = 0};
	enum err err = known->fetch(known->self, deadline, &got, e);

	replace(known, &got, err);
	return err;
}

void known_cas_learn(struct known_cas *known, const struct chain *chain)
{
	struct certificates got = {.count = 0};
	enum err err = ERR_OK;
	struct error ignored;

	for (size_t i = 1; i < chain->count && !err; i++)
		err = certificates_add_der(
			&got, chain->certificate[i].data, chain->certificate[i].len, &ignored);
	replace(known, &got, err);
}

enum err known_cas_need(struct known_cas *known, int64_t deadline, struct error *e)
{
	int64_t age = clock_monotonic_ms() - known->asked_at;

	if (known->list.count && (!known->max_age || age < known->max_age))
		return ERR_OK;
	return remote_nothing_issued(known_cas_ask(known, deadline, e), e);
}

enum err known_cas_chain(
	struct known_cas *known, int64_t deadline, struct chain *out, struct error *e)
{
	enum err err = known_cas_ask(known, deadline, e);

	return err ? err : chain_longest(&known->list, out, e);
}

/* Where CAs certify one another, the first issuer that fits is taken. */
static enum err build(const struct known_cas *known, const struct ca_order *order,
	const struct certificates *issued, struct chain *out, struct error *e)
{
	const struct certificates *first = known->binding ? &known->list : issued;
	struct certificates all = *first; /* borrows */

	certificates_borrow(&all, first == issued ? &known->list : issued);
	return remote_chain(order, &all, out, e);
}

static bool is_complete(const struct known_cas *known, const struct chain *chain)
{
	for (size_t i = 1; i < chain->count; i++)
		if (!known->binding || certificates_have(&known->list, &chain->certificate[i]))
			return true;
	return false;
}

static enum err refuse_foreign(
	const struct known_cas *known, const struct chain *chain, struct error *e)
{
	struct certificate_info info;
	enum err err = certificate_info(&chain->certificate[chain->count - 1], &info, e);

	return err ? err
		   : error_set(e, ERR_REFUSED,
			     "CA %s: the certificate's issuer \"%s\" is not among those that the "
			     "CA names",
			     known->remote->ca->url, info.issuer);
}

enum err known_cas_complete(struct known_cas *known, const struct ca_order *order,
	const struct certificates *issued, struct chain *out, struct error *e)
{
	struct chain chain = {.count = 0};
	enum err err = build(known, order, issued, &chain, e);

	if (!err && !is_complete(known, &chain)) {
		chain_free(&chain);
		err = known_cas_ask(known, order->deadline, e);
		if (!err)
			err = build(known, order, issued, &chain, e);
	}
	if (!err && known->binding && !is_complete(known, &chain))
		err = refuse_foreign(known, &chain, e);
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	return err;
}

enum err known_cas_issuer(struct known_cas *known, const struct ca_revocation *revocation,
	struct certificate_info *out, struct error *e)
{
	enum err err = known_cas_ask(known, revocation->deadline, e);

	for (size_t i = 0; i < known->list.count && !err; i++) {
		struct certificate_info info;

		err = certificate_info(&known->list.certificate[i], &info, e);
		if (!err && strcmp(info.subject, revocation->issuer) == 0) {
			*out = info;
			return ERR_OK;
		}
	}
	if (err || !known->list.count)
		return err;
	return error_set(e, ERR_REFUSED, "CA %s is not %s, which issued the certificate",
		known->remote->ca->url, revocation->issuer);
}

#include "ca/ca.h"

#include <stdlib.h>

/* [ca] type is a name of this table; its first row is the default. */
static const struct ca_kind *const kinds[] = {&ca_local};

_Static_assert(ARRAY_LEN(kinds) <= CA_KIND_MAX, "others have room for so many");

struct ca {
	const struct ca_kind *kind;
	void *self;
	int64_t validity; /* seconds: what we ask for */
};

enum err ca_open(const struct config *config, struct ca **out, struct error *e)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	enum err err = ca ? ERR_OK : error_memory(e);

	if (!err) {
		ca->kind = kinds[0];
		ca->validity = config->certificates.validity;
		err = ca->kind->open(config, &ca->self, e);
	}
	if (err)
		free(ca);
	else
		*out = ca;
	return err;
}

void ca_close(struct ca *ca)
{
	if (!ca)
		return;
	ca->kind->close(ca->self);
	free(ca);
}

size_t ca_kind_of(const struct ca *ca)
{
	size_t i = 0;

	while (kinds[i] != ca->kind)
		i++;
	return i;
}

const char *ca_kind_name(size_t kind)
{
	return kind < ARRAY_LEN(kinds) ? kinds[kind]->name : NULL;
}

enum err ca_issue(struct ca *ca, const struct ca_order *order, struct chain *out, struct error *e)
{
	struct blob public_key = {NULL, 0};
	struct chain chain = {0};
	const struct certificate_demand demand = {
		.usage = order->usage,
		.address = order->address,
		.public_key = &public_key,
		.now = order->now,
		.validity = ca->validity,
	};
	enum err err = key_public(order->key, &public_key, e);

	if (!err)
		err = ca->kind->issue(ca->self, order, &chain, e);
	if (!err)
		err = certificate_check(&chain, &demand, e);
	if (err)
		chain_free(&chain);
	else
		*out = chain;
	blob_free(&public_key);
	return err;
}

enum err ca_certificate(struct ca *ca, struct blob *out, struct error *e)
{
	return ca->kind->certificate(ca->self, out, e);
}

enum err ca_revoke(struct ca *ca, const struct ca_revocation *revocation, struct error *e)
{
	if (!ca->kind->revoke)
		return error_set(
			e, ERR_REFUSED, "a CA of type %s cannot revoke from here", ca->kind->name);
	return ca->kind->revoke(ca->self, revocation, e);
}

bool ca_has_crl(const struct ca *ca)
{
	return ca->kind->crl;
}

enum err ca_crl(struct ca *ca, const struct crl_order *order, struct blob *out, struct error *e)
{
	return ca->kind->crl(ca->self, order, out, e);
}

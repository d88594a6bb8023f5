/* The local CA whose certificate and revocation list we publish. External CAs publish their own. */

#include "provider/local_ca.h"

#include <string.h>

#include "provider/provider_parts.h"

struct ca *local_ca_find(const struct provider *p, enum usage usage)
{
	for (; usage < USAGE_COUNT; usage++)
		if (ca_has_crl(p->ca[usage]))
			return p->ca[usage];
	return NULL;
}

enum err local_ca_info(struct ca *ca, struct certificate_info *out, struct error *e)
{
	struct chain chain = {0};
	enum err err = ca_chain(ca, ca_deadline(ca), &chain, e);

	if (!err)
		err = certificate_info(&chain.certificate[0], out, e);
	chain_free(&chain);
	return err;
}

enum err local_ca_check_names(
	const struct config *config, struct ca *signing, struct ca *encryption, struct error *e)
{
	struct certificate_info one, other;
	enum err err;

	if (signing == encryption || !ca_has_crl(signing) || !ca_has_crl(encryption))
		return ERR_OK;
	err = local_ca_info(signing, &one, e);
	if (!err)
		err = local_ca_info(encryption, &other, e);
	if (!err && strcmp(one.subject, other.subject) == 0 &&
		strcmp(one.sha256, other.sha256) != 0)
		err = config_error(config, ca_config(encryption)->section, "certificate", e,
			"two CAs have the name \"%s\"; each needs its own", one.subject);
	return err;
}

enum err provider_ca_certificate(
	struct provider *p, enum usage usage, struct blob *out, struct error *e)
{
	struct ca *ca = local_ca_find(p, usage);
	struct chain chain = {0};
	enum err err;

	if (!ca)
		return error_set(
			e, ERR_NOT_FOUND, "an external CA publishes its certificate itself");
	err = ca_chain(ca, ca_deadline(ca), &chain, e);
	if (!err)
		err = blob_copy(chain.certificate[0].data, chain.certificate[0].len, out, e);
	chain_free(&chain);
	return err;
}

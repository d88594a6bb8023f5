/* Gathers our expiry dates from files and the store. expiry.c judges how near they are. */

#include "provider/expiry_gather.h"

#include "base/file.h"
#include "net/identity.h"
#include "pki/certificate.h"
#include "provider/provider_parts.h"

static struct expiry of_ca(const struct config *config, const struct blob *der)
{
	struct certificate_info info;
	struct error e;

	if (certificate_info(der, &info, &e))
		return expiry_unknown(EXPIRY_CA, &e);
	return expiry_judge_ca(info.not_before, info.not_after, config->certificates.validity);
}

static struct expiry of_certificate(enum expiry_what what, const struct blob *der)
{
	struct certificate_info info;
	struct error e;

	if (certificate_info(der, &info, &e))
		return expiry_unknown(what, &e);
	return expiry_judge(what, info.not_before, info.not_after);
}

static struct expiry of_file(enum expiry_what what, const char *source, const char *password_file)
{
	struct identity *identity = NULL;
	struct expiry expiry;
	struct error e;

	if (identity_open(source, password_file, &identity, &e))
		return expiry_unknown(what, &e);
	expiry = identity_ready(identity, &e)
			 ? expiry_unknown(what, &e)
			 : of_certificate(what, identity_certificate(identity));
	identity_close(identity);
	return expiry;
}

/* Of an identity that is open. */
static struct expiry of_open(enum expiry_what what, const struct blob *certificate)
{
	struct error e;

	if (certificate->data)
		return of_certificate(what, certificate);
	error_set(&e, ERR_UNAVAILABLE, "its token has not been there yet");
	return expiry_unknown(what, &e);
}

static void worse(struct expiry *worst, const struct expiry *found)
{
	if (found->level > worst->level)
		*worst = *found;
}

static void gather_ra(const struct config *config, struct expiry *out)
{
	const struct config_ca *before = NULL;

	*out = (struct expiry){.what = EXPIRY_RA, .level = EXPIRY_NONE};
	for (int usage = 0; usage < USAGE_COUNT; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);
		struct expiry found;

		if (!ca->identity || ca == before)
			continue;
		before = ca;
		found = of_file(EXPIRY_RA, ca->identity, ca->identity_password_file);
		worse(out, &found);
	}
}

static void ra_of_provider(const struct provider *provider, struct expiry *out)
{
	*out = (struct expiry){.what = EXPIRY_RA, .level = EXPIRY_NONE};
	for (int usage = 0; usage < USAGE_COUNT; usage++) {
		const struct identity *identity = ca_identity(provider->ca[usage]);
		struct expiry found;

		if (!identity)
			continue;
		found = of_open(EXPIRY_RA, identity_certificate(identity));
		worse(out, &found);
	}
}

/* Reads the file alone: ca_open() would open the key, too. */
static enum err read_ca(const struct config_ca *ca, struct chain *out, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = file_read(ca->certificate, &pem, e);

	if (err)
		return err;
	err = chain_from_pem(&pem, out, e);
	blob_free(&pem);
	return err ? error_context(e, "%s", ca->certificate) : ERR_OK;
}

static struct expiry of_list(struct store *store, const char *issuer)
{
	struct store_crl crl = {.number = 0};
	int64_t revoked = 0;
	struct error e;
	enum err err = store_crl_head(store, issuer, &crl, &revoked, &e);

	if (err == ERR_NOT_FOUND)
		return (struct expiry){.what = EXPIRY_CRL, .level = EXPIRY_NONE};
	if (err)
		return expiry_unknown(EXPIRY_CRL, &e);
	return expiry_judge(EXPIRY_CRL, crl.this_update, crl.next_update);
}

struct expiry expiry_of_crl(const struct config *config, struct store *store, const struct blob *ca)
{
	struct certificate_info info;
	struct store *opened = NULL;
	struct expiry expiry;
	struct error e;
	enum err err = certificate_info(ca, &info, &e);

	if (!err && !store)
		err = store_open(config, &opened, &e);
	if (err)
		return expiry_unknown(EXPIRY_CRL, &e);
	expiry = of_list(store ? store : opened, info.subject);
	store_close(opened);
	return expiry;
}

/* The local CA whose certificate ends first; external CAs are not watched. */
static void gather_ca(
	const struct config *config, struct store *store, struct expiry out[EXPIRY_COUNT])
{
	out[EXPIRY_CA] = (struct expiry){.what = EXPIRY_CA, .level = EXPIRY_NONE};
	out[EXPIRY_CRL] = (struct expiry){.what = EXPIRY_CRL, .level = EXPIRY_NONE};
	for (int usage = 0; usage < USAGE_COUNT; usage++) {
		const struct config_ca *section = config_ca(config, (enum usage)usage);
		struct expiry found;
		struct chain ca = {0};
		struct error e;

		if (section->type != CA_LOCAL)
			continue;
		found = read_ca(section, &ca, &e) ? expiry_unknown(EXPIRY_CA, &e)
						  : of_ca(config, &ca.certificate[0]);
		if (found.level > out[EXPIRY_CA].level) {
			out[EXPIRY_CA] = found;
			out[EXPIRY_CRL] = ca.count
						  ? expiry_of_crl(config, store, &ca.certificate[0])
						  : expiry_unknown(EXPIRY_CRL, &e);
		}
		chain_free(&ca);
	}
}

void expiry_gather(
	const struct config *config, struct store *store, struct expiry out[EXPIRY_COUNT])
{
	out[EXPIRY_CLIENT] = of_file(
		EXPIRY_CLIENT, config->escrow.identity, config->escrow.identity_password_file);
	gather_ra(config, &out[EXPIRY_RA]);
	gather_ca(config, store, out);
}

void expiry_of_provider(struct provider *provider, struct expiry out[EXPIRY_COUNT])
{
	out[EXPIRY_CLIENT] = of_open(EXPIRY_CLIENT, escrow_identity(provider->escrow));
	ra_of_provider(provider, &out[EXPIRY_RA]);
	gather_ca(provider->config, provider->store, out);
}

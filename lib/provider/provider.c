/* Opens and closes the store, the CAs and the gateways of a configuration. */

#include "provider/provider.h"

#include <stdlib.h>

#include "provider/config_fingerprint.h"
#include "provider/confirm.h"
#include "provider/local_ca.h"
#include "provider/look_up.h"
#include "provider/pkcs12_password.h"
#include "provider/provider_parts.h"
#include "provider/subject_of_event.h"

static enum err open_ca(struct provider *p, enum usage usage, struct error *e)
{
	const struct config_ca *section = config_ca(p->config, usage);

	for (int other = 0; other < (int)usage; other++)
		if (config_ca(p->config, (enum usage)other) == section) {
			p->ca[usage] = p->ca[other];
			return ERR_OK;
		}
	return ca_open(p->config, section, &p->ca[usage], e);
}

static void close_ca(struct provider *p, enum usage usage)
{
	for (int other = 0; other < (int)usage; other++)
		if (p->ca[other] == p->ca[usage])
			return;
	ca_close(p->ca[usage]);
}

static enum err open_store_and_ca(struct provider *p, struct error *e)
{
	enum err err = config_fingerprint(p->config, p->fingerprint, e);

	if (!err)
		err = store_open(p->config, &p->store, e);
	for (int usage = 0; usage < USAGE_COUNT && !err; usage++)
		err = open_ca(p, (enum usage)usage, e);
	return err ? err
		   : local_ca_check_names(
			     p->config, p->ca[USAGE_SIGNING], p->ca[USAGE_ENCRYPTION], e);
}

static enum err open_parts(struct provider *p, struct error *e)
{
	const struct config *config = p->config;
	enum err err = subject_check_config(config, e);

	if (!err)
		err = open_store_and_ca(p, e);
	if (!err)
		err = confirmation_open(config, &p->confirmation, e);
	if (!err)
		err = look_up_open(config, &p->look_up, e);
	if (!err)
		err = escrow_open(config, &p->escrow, e);
	if (!err && config->escrow.pkcs12_password_file)
		err = pkcs12_password_read(
			config->escrow.pkcs12_password_file, &p->pkcs12_password, e);
	return err;
}

/* Opens parts of a new one. */
static enum err open_by(enum err (*parts)(struct provider *p, struct error *e),
	const struct config *config, struct provider **out, struct error *e)
{
	struct provider *p = calloc(1, sizeof(*p));
	enum err err;

	if (!p)
		return error_memory(e);
	p->config = config;
	err = parts(p, e);
	if (err)
		provider_close(p);
	else
		*out = p;
	return err;
}

enum err provider_open(const struct config *config, struct provider **out, struct error *e)
{
	return open_by(open_parts, config, out, e);
}

enum err provider_open_ca(const struct config *config, struct provider **out, struct error *e)
{
	return open_by(open_store_and_ca, config, out, e);
}

void provider_close(struct provider *provider)
{
	if (!provider)
		return;
	escrow_close(provider->escrow);
	for (int usage = USAGE_COUNT - 1; usage >= 0; usage--)
		close_ca(provider, (enum usage)usage);
	look_up_close(provider->look_up);
	confirmation_close(provider->confirmation);
	store_close(provider->store);
	blob_free(&provider->pkcs12_password);
	free(provider);
}

struct store *provider_store(struct provider *provider)
{
	return provider->store;
}

enum err provider_key_pool(const struct config *config, struct key_pool **out, struct error *e)
{
	bool wanted[KEY_TYPE_COUNT] = {false};

	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (config->certificates.usages[usage])
			wanted[config->certificates.key[usage]] = true;
	if (config->certificates.key_pool == 0) {
		*out = NULL;
		return ERR_OK;
	}
	return key_pool_new(wanted, config->certificates.key_pool, out, e);
}

void provider_use_pool(struct provider *provider, struct key_pool *pool)
{
	provider->pool = pool;
}

void provider_use_counters(struct provider *provider, struct counters *counters)
{
	provider->counters = counters;
}

void provider_use_admission(struct provider *provider, struct admission_pass *pass)
{
	provider->pass = pass;
}

#include <stdlib.h>

#include "base/file.h"
#include "pki/pkcs12.h"
#include "provider/internal.h"

static enum err open_store_and_ca(struct provider *p, struct error *e)
{
	enum err err = inputs_digest(p->config, p->inputs, e);

	if (!err)
		err = store_open(p->config, &p->store, e);
	return err ? err : ca_open(p->config, &p->ca, e);
}

enum err read_pkcs12_password(const char *file, struct blob *out, struct error *e)
{
	struct blob password = {NULL, 0};
	enum err err = file_read_password(file, &password, e);

	if (err)
		return err;
	if (pkcs12_check_password((const char *)password.data, e)) {
		blob_free(&password);
		return error_context(e, "%s", file);
	}
	*out = password;
	return ERR_OK;
}

static enum err open_parts(struct provider *p, struct error *e)
{
	const struct config *config = p->config;
	enum err err = person_check_config(config, e);

	if (!err)
		err = open_store_and_ca(p, e);
	if (!err)
		err = escrow_open(config, &p->escrow, e);
	if (!err && config->escrow.pkcs12_password_file)
		err = read_pkcs12_password(
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
	ca_close(provider->ca);
	store_close(provider->store);
	blob_free(&provider->pkcs12_password);
	free(provider);
}

struct store *provider_store(struct provider *provider)
{
	return provider->store;
}

enum err read_ca_info(struct provider *p, struct certificate_info *out, struct error *e)
{
	struct blob der = {NULL, 0};
	enum err err = ca_certificate(p->ca, &der, e);

	if (!err)
		err = certificate_info(&der, out, e);
	blob_free(&der);
	return err;
}

enum err provider_ca_certificate(struct provider *provider, struct blob *out, struct error *e)
{
	return ca_certificate(provider->ca, out, e);
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

void provider_use_meter(struct provider *provider, struct meter *meter)
{
	provider->meter = meter;
}

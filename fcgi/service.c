/* Opens and closes what a process needs to answer requests. They are answered in answer.c. */
#include "fcgi/service.h"

#include "base/log.h"

enum err service_open(const struct config *config, struct service *out, struct error *e)
{
	struct service service = {.config = config};
	enum err err = ERR_OK;

	if (config->events.authenticate == AUTHENTICATE_BASIC)
		err = auth_open(config->events.users_file, &service.auth, e);
	if (!err && config->admin.users_file)
		err = auth_open(config->admin.users_file, &service.admin, e);
	if (!err)
		err = provider_open(config, &service.provider, e);
	if (err == ERR_UNAVAILABLE) {
		log_error("events cannot be recorded yet: %s", e->text);
		err = ERR_OK;
	}
	if (err)
		service_close(&service);
	else
		*out = service;
	return err;
}

void service_close(struct service *service)
{
	if (service->provider)
		provider_close(service->provider);
	auth_close(service->auth);
	auth_close(service->admin);
	*service = (struct service){.config = NULL};
}

static void equip_provider(struct service *service)
{
	if (!service->provider)
		return;
	provider_use_pool(service->provider, service->pool);
	if (service->counters)
		provider_use_counters(service->provider, &service->counters->provider);
	if (service->pass.admission)
		provider_use_admission(service->provider, &service->pass);
}

void service_use(struct service *service, struct handler_counters *counters, struct key_pool *pool)
{
	service->counters = counters;
	service->pool = pool;
	equip_provider(service);
}

void service_use_memory(struct service *service, struct auth_memory *memory)
{
	if (service->auth)
		auth_share(service->auth, memory);
	if (service->admin)
		auth_share(service->admin, memory);
}

void service_use_admission(struct service *service, const struct admission_pass *pass)
{
	service->pass = *pass;
	equip_provider(service);
}

enum err service_need_provider(struct service *service, struct error *e)
{
	enum err err = ERR_OK;

	if (!service->provider) {
		err = provider_open(service->config, &service->provider, e);
		equip_provider(service);
	}
	return err;
}

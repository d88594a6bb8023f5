#ifndef FCGI_SERVICE_H
#define FCGI_SERVICE_H

#include "base/error.h"
#include "config/config.h"
#include "fcgi/auth.h"
#include "fcgi/handler_counters.h"
#include "provider/provider.h"

/* The state of a process that answers requests: one configuration, with all its resources open. */
struct service {
	const struct config *config; /* borrowed */
	struct provider *provider;   /* NULL while the store is out of reach: see service_open() */
	struct key_pool *pool;	     /* borrowed; NULL: keys are made when they are needed */
	struct auth *auth;	     /* NULL unless events.authenticate is basic */
	struct auth *admin;	     /* NULL: no pages for [admin] */
	struct handler_counters *counters; /* borrowed; NULL: nobody counts */
	struct admission_pass pass;	   /* with admission only in a worker */
};

/*
 * ERR_CONFIG, ERR_INTERNAL. Where the provider is only unavailable, as on a full disk, that is
 * logged, and each request tries again: events must be answered, and kept in the log.
 */
enum err service_open(const struct config *config, struct service *out, struct error *e) must_check;
void service_close(struct service *service);

/* Counts from now on in counters, and takes keys from the pool; both are borrowed. */
void service_use(struct service *service, struct handler_counters *counters, struct key_pool *pool);

/* Shares what is known of passwords with other processes; memory is borrowed. */
void service_use_memory(struct service *service, struct auth_memory *memory);

/* The events of a worker need a slot of the pass's admission, which is borrowed. */
void service_use_admission(struct service *service, const struct admission_pass *pass);

/* Opens the provider, if it could not be opened before. Errors of provider_open(). */
enum err service_need_provider(struct service *service, struct error *e) must_check;

#endif

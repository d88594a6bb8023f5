/* GET /healthz, for monitors and load balancers: it asks the store, and nobody else. */
#include "fcgi/healthz.h"

#include "store/store.h"

enum err healthz_get(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	(void)request;
	if (store_ping(provider_store(service->provider), e)) {
		e->code = ERR_UNAVAILABLE; /* for any cause, a monitor reads 503 */
		return e->code;
	}
	response->content_type = "text/plain";
	buf_puts(&response->body, "OK\n");
	return ERR_OK;
}

/*
 * Reads the data that several sections of the status page share. Does not write the sections, but
 * has the line that stands in their place if the store does not answer.
 */
#include "fcgi/pages/status_data.h"

#include "base/clock.h"
#include "base/log.h"
#include "provider/barred_peer_try.h"
#include "provider/expiry_gather.h"

/* If the store does not answer, the page still shows the rest: it is then needed most. */
void status_data_read(
	struct service *service, const char *query, struct buf *out, struct status_data *status)
{
	struct error e;

	*status = (struct status_data){
		.service = service,
		.store = provider_store(service->provider),
		.query = query,
		.now = clock_now(),
		.out = out,
	};
	expiry_of_provider(service->provider, status->expiries);
	if (store_count(status->store, status->now, &status->counts, &e)) {
		log_warning("status page without the store's data: %s", e.text);
		return;
	}
	status->store_answers = true;
	if (barred_peer_of_provider(service->provider, status->barred, &status->barred_count, &e))
		log_warning("status page without the CAs that process nothing: %s", e.text);
	if (store_audit_conflicts(status->store, &status->conflicts, &e))
		log_warning("status page without the conflicts of addresses: %s", e.text);
	if (service->config->uem.url &&
		store_reconciliation_last(status->store, &status->reconciled, &e))
		log_warning("status page without the latest reconciliation: %s", e.text);
}

void status_data_missing(const struct status_data *status, const struct error *e)
{
	log_warning("status page without a part of the store's data: %s", e->text);
	buf_puts(status->out, "<p class=\"none\">The store does not answer: see the log.</p>\n");
}

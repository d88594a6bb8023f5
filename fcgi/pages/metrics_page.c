/* GET /metrics: what the handler has counted, what the store knows, and what expires when. */
#include "fcgi/pages/metrics_page.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/pages/prometheus_text.h"
#include "provider/barred_peer_try.h"
#include "provider/expiry.h"
#include "provider/expiry_gather.h"
#include "store/reconciliation.h"

static unsigned long long get(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void put_gauge(struct buf *out, const char *name, const char *help, unsigned long long value)
{
	prometheus_text_family(out, name, "gauge", help);
	prometheus_text_number(out, name, NO_LABELS, value);
}

static void put_counter(
	struct buf *out, const char *name, const char *help, unsigned long long value)
{
	prometheus_text_family(out, name, "counter", help);
	prometheus_text_number(out, name, NO_LABELS, value);
}

/* --- what the workers have counted */

static void put_requests(const struct handler_counters *counters, struct buf *out)
{
	static const char name[] = "certprov_requests_total";
	char status[16];

	prometheus_text_family(
		out, name, "counter", "Requests that were answered, by path and status.");
	for (int path = 0; path < PATH_COUNT; path++) {
		for (size_t i = 0; i < RESPONSE_STATUS_COUNT; i++) {
			snprintf(status, sizeof(status), "%d", response_statuses[i]);
			prometheus_text_number(out, name,
				LABELS({"route", path_names[path]}, {"status", status}),
				get(&counters->requests[path][i]));
		}
	}
}

static void put_refused(const struct handler_counters *counters, struct buf *out)
{
	static const char name[] = "certprov_authentication_failures_total";

	prometheus_text_family(out, name, "counter", "Requests that were answered 401, by cause.");
	for (int i = 0; i < AUTH_FAILURE_COUNT; i++)
		prometheus_text_number(out, name, LABELS({"cause", auth_failure_names[i]}),
			get(&counters->refused[i]));
	put_gauge(out, "certprov_unauthenticated_events",
		"Posts of events that were answered 401 since the last one that was let in.",
		get(&counters->unauthenticated));
}

/* These results of CA and gateways are always shown; others appear once they have occurred. */
static bool is_usual(enum err err)
{
	return err == ERR_OK || err == ERR_CONFIG || err == ERR_REFUSED || err == ERR_UNAVAILABLE ||
	       err == ERR_INTERNAL;
}

static void put_results(struct buf *out, const char *name, const char *label, const char *value,
	const atomic_ullong results[ERR_COUNT])
{
	for (unsigned err = 0; err < ERR_COUNT; err++)
		if (get(&results[err]) || is_usual((enum err)err))
			prometheus_text_number(out, name,
				LABELS({label, value},
					{"result", error_meaning((enum err)err)->label}),
				get(&results[err]));
}

static void put_issued(
	const struct config *config, const struct counters *counters, struct buf *out)
{
	static const char name[] = "certprov_certificates_issued_total";

	prometheus_text_family(out, name, "counter",
		"Certificates that the CA was asked for, by its type and the result.");
	for (unsigned type = 0; type < CA_TYPE_COUNT; type++)
		if (config_ca(config, USAGE_SIGNING)->type == type ||
			config_ca(config, USAGE_ENCRYPTION)->type == type)
			put_results(out, name, "ca", ca_type_names[type], counters->issued[type]);
}

static void put_uploads(const struct counters *counters, struct buf *out)
{
	static const char name[] = "certprov_uploads_total";
	size_t named = atomic_load_explicit(&counters->gateways, memory_order_acquire);

	prometheus_text_family(
		out, name, "counter", "Uploads that the handler has tried, by gateway and result.");
	for (size_t i = 0; i < named; i++)
		put_results(out, name, "gateway", counters->gateway[i].url,
			counters->gateway[i].uploads);
	if (named == COUNTERS_GATEWAYS)
		put_results(out, name, "gateway", "other",
			counters->gateway[COUNTERS_GATEWAYS].uploads);
}

/* The histogram of a step. Its count is made from the buckets: the counters may grow meanwhile. */
static void put_step(const char *step, const struct counters_times *times, struct buf *out)
{
	static const char bucket[] = "certprov_step_seconds_bucket";
	const struct label *labels = LABELS({"step", step});
	unsigned long long sum = get(&times->sum), count = 0;
	char bound[PROMETHEUS_TEXT_SECONDS_SIZE];

	for (int i = 0; i < COUNTERS_BUCKETS; i++) {
		prometheus_text_format_seconds((unsigned long long)counters_bounds[i], bound);
		count += get(&times->count[i]);
		prometheus_text_number(out, bucket, LABELS({"step", step}, {"le", bound}), count);
	}
	count += get(&times->count[COUNTERS_BUCKETS]);
	prometheus_text_number(out, bucket, LABELS({"step", step}, {"le", "+Inf"}), count);
	prometheus_text_seconds(out, "certprov_step_seconds_sum", labels, sum);
	prometheus_text_number(out, "certprov_step_seconds_count", labels, count);
}

static void put_workers(const struct handler_counters *counters, struct buf *out)
{
	static const char busy[] = "certprov_worker_busy_seconds_total";
	const struct handler_counters_workers workers = handler_counters_workers(counters);

	put_gauge(out, "certprov_workers", "Worker processes.", workers.total);
	put_gauge(out, "certprov_workers_busy",
		"Workers that are processing a request, including the one that answers this.",
		workers.busy);
	prometheus_text_family(out, busy, "counter",
		"The time that all workers together have spent on finished requests.");
	prometheus_text_seconds(out, busy, NO_LABELS, get(&counters->busy_time));
	put_counter(out, "certprov_worker_deaths_total",
		"Workers that ended without being told to.", get(&counters->deaths));
}

static void put_counted(const struct service *service, struct buf *out)
{
	const struct handler_counters *counters = service->counters;

	if (!counters) {
		buf_puts(out, "# A CGI program remembers nothing from request to request: there "
			      "are no counters, only metrics from the store and from files.\n");
		return;
	}
	put_gauge(out, "certprov_start_time_seconds",
		"When the handler was started, Unix time; counters begin at 0 then.",
		(unsigned long long)counters->started);
	put_requests(counters, out);
	put_refused(counters, out);
	put_issued(service->config, &counters->provider, out);
	put_uploads(&counters->provider, out);
	prometheus_text_family(out, "certprov_step_seconds", "histogram",
		"The time that each step of an event took, with any result.");
	for (int step = 0; step < STEP_COUNT; step++)
		put_step(step_names[step], &counters->provider.step[step], out);
	put_counter(out, "certprov_unmatched_events_total",
		"Events that were ignored, although their type resembles one that is not.",
		get(&counters->provider.unmatched));
	put_workers(counters, out);
}

/* --- what the store knows: also what other processes have done */

static unsigned long long figure(int64_t value)
{
	return value > 0 ? (unsigned long long)value : 0;
}

static void put_certificates(const struct store_counts *counts, struct buf *out)
{
	static const char name[] = "certprov_certificates";

	prometheus_text_family(
		out, name, "gauge", "Certificates in the store, by usage and state.");
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		for (int state = 0; state < CREDENTIAL_STATE_COUNT; state++)
			prometheus_text_number(out, name,
				LABELS({"usage", usage_names[usage]},
					{"state", credential_state_names[state]}),
				figure(counts->certificates[usage][state]));
}

static void put_devices(const struct store_counts *counts, struct buf *out)
{
	static const char name[] = "certprov_devices";

	prometheus_text_family(out, name, "gauge", "Devices in the store, by state.");
	prometheus_text_number(out, name, LABELS({"state", "enrolled"}),
		figure(counts->devices - counts->devices_unenrolled));
	prometheus_text_number(
		out, name, LABELS({"state", "unenrolled"}), figure(counts->devices_unenrolled));
	put_gauge(out, "certprov_users", "Users in the store.", figure(counts->users));
}

static void put_events(const struct store_counts *counts, int64_t now, struct buf *out)
{
	static const char name[] = "certprov_events";

	prometheus_text_family(out, name, "gauge", "Events in the store, by state.");
	for (int state = 0; state < EVENT_STATE_COUNT; state++)
		prometheus_text_number(out, name, LABELS({"state", event_state_names[state]}),
			figure(counts->events[state]));
	put_gauge(out, "certprov_oldest_pending_event_age_seconds",
		"How long the oldest pending event has waited; 0: there is none.",
		figure(counts->oldest_pending ? now - counts->oldest_pending : 0));
	put_gauge(out, "certprov_uploads_pending",
		"Devices' uploads, to each gateway, that are tried again.",
		figure(counts->uploads[UPLOAD_PENDING]));
	put_gauge(out, "certprov_uploads_failed",
		"Devices' uploads, to each gateway, that need attention.",
		figure(counts->uploads[UPLOAD_FAILED]));
	put_gauge(out, "certprov_ca_requests_pending",
		"Requests for certificates that a CA has not decided on.",
		figure(counts->requests_pending));
}

static void put_conflicts(struct store *store, struct buf *out)
{
	struct store_conflicts conflicts;
	struct error e;

	if (store_audit_conflicts(store, &conflicts, &e)) {
		log_warning("metrics without the conflicts of addresses: %s", e.text);
		return;
	}
	put_counter(out, "certprov_address_conflicts_total",
		"Events that asked for the address of another user, since the audit trail began.",
		figure(conflicts.count));
}

/* Nothing of it without [uem]. */
static void put_reconciled(struct service *service, struct buf *out)
{
	static const char name[] = "certprov_uem_missed_events";
	struct store_reconciliation last = {.at = 0};
	struct error e;

	if (!service->config->uem.url)
		return;
	if (store_reconciliation_last(provider_store(service->provider), &last, &e)) {
		log_warning("metrics without the latest reconciliation: %s", e.text);
		return;
	}
	put_gauge(out, "certprov_uem_reconciled_timestamp_seconds",
		"When certprov reconcile last compared all devices with UEM, Unix time; 0: not "
		"yet.",
		figure(last.at));
	prometheus_text_family(
		out, name, "gauge", "Events that were missed, as that comparison found.");
	prometheus_text_number(
		out, name, LABELS({"kind", "enrolled"}), figure(last.missed_enrollments));
	prometheus_text_number(
		out, name, LABELS({"kind", "unenrolled"}), figure(last.missed_unenrollments));
}

/* A line for each external CA. */
static void put_barred(struct service *service, struct buf *out)
{
	static const char name[] = "certprov_ca_barred";
	const struct config_ca *before = NULL;
	struct barred_peer barred[BARRED_PEERS_MAX];
	size_t count = 0;
	struct error e;

	if (barred_peer_of_provider(service->provider, barred, &count, &e)) {
		log_warning("metrics without the CAs that process nothing: %s", e.text);
		return;
	}
	prometheus_text_family(out, name, "gauge",
		"1 if the CA is not asked for certificates until somebody fixes it, else 0.");
	for (int usage = 0; usage < USAGE_COUNT; usage++) {
		const struct config_ca *ca = config_ca(service->config, (enum usage)usage);
		bool is = false;

		for (size_t i = 0; i < count; i++)
			is = is || strcmp(barred[i].section, ca->section) == 0;
		if (ca != before && ca->type != CA_LOCAL)
			prometheus_text_number(out, name, LABELS({"section", ca->section}), is);
		before = ca;
	}
}

/* --- expiry */

static const char *const objects[EXPIRY_COUNT] = {
	[EXPIRY_CLIENT] = "client_certificate",
	[EXPIRY_RA] = "ca_client_certificate",
	[EXPIRY_CA] = "ca_certificate",
	[EXPIRY_CRL] = "crl",
};

static void put_expiries(
	struct service *service, const struct store_counts *counts, struct buf *out)
{
	static const char name[] = "certprov_expiry_timestamp_seconds";
	struct expiry expiries[EXPIRY_COUNT];

	expiry_of_provider(service->provider, expiries);
	prometheus_text_family(out, name, "gauge",
		"When the object expires, Unix time; no line if it does not exist or cannot be "
		"read. certificates: the active one that expires first.");
	for (int i = 0; i < EXPIRY_COUNT; i++)
		if (expiries[i].level != EXPIRY_NONE && expiries[i].level != EXPIRY_UNKNOWN)
			prometheus_text_number(out, name, LABELS({"object", objects[i]}),
				figure(expiries[i].not_after));
	if (counts && counts->soonest_expiry)
		prometheus_text_number(out, name, LABELS({"object", "certificates"}),
			figure(counts->soonest_expiry));
	if (expiries[EXPIRY_CA].shortens)
		put_gauge(out, "certprov_ca_shortens_timestamp_seconds",
			"From when on the local CA issues certificates for less than validity, as "
			"none outlives the CA's own.",
			figure(expiries[EXPIRY_CA].shortens));
}

/* Without the store the page still shows the rest: that is when somebody looks. */
enum err metrics_page_get(struct service *service, const struct request *request,
	struct response *response, struct error *e)
{
	static const char name[] = "certprov_build_info";
	struct buf *out = &response->body;
	struct store_counts counts;
	int64_t now = clock_now();
	enum err store = store_count(provider_store(service->provider), now, &counts, e);

	(void)request;
	if (store)
		log_warning("metrics without those from the store: %s", e->text);
	response->content_type = PROMETHEUS_TEXT_TYPE;
	prometheus_text_family(out, name, "gauge", "Always 1; the version is its label.");
	prometheus_text_number(out, name, LABELS({"version", PACKAGE_VERSION}), 1);
	put_counted(service, out);
	put_gauge(out, "certprov_store_up", "1 if the store answers, else 0.", store ? 0 : 1);
	if (!store) {
		put_devices(&counts, out);
		put_certificates(&counts, out);
		put_events(&counts, now, out);
		put_conflicts(provider_store(service->provider), out);
		put_barred(service, out);
		put_reconciled(service, out);
	}
	put_expiries(service, store ? NULL : &counts, out);
	return ERR_OK;
}

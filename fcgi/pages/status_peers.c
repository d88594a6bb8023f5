/* The section of the CA and the gateways: their state by their latest answers; none is asked. */
#include "fcgi/pages/status_peers.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fcgi/pages/html.h"
#include "provider/counters.h"

struct tally {
	int64_t good, bad, undecided; /* how often, since the handler was started */
	int64_t last_good, last_bad;  /* when; 0: not yet */
};

static struct tally read_tally(
	const atomic_ullong results[ERR_COUNT], const struct counters_last *last)
{
	struct tally tally = {
		.good = (int64_t)atomic_load_explicit(&results[ERR_OK], memory_order_relaxed),
		.undecided =
			(int64_t)atomic_load_explicit(&results[ERR_PENDING], memory_order_relaxed),
		.last_good = atomic_load_explicit(&last->good, memory_order_relaxed),
		.last_bad = atomic_load_explicit(&last->bad, memory_order_relaxed),
	};

	for (int i = ERR_OK + 1; i < ERR_COUNT; i++)
		if (i != ERR_PENDING)
			tally.bad +=
				(int64_t)atomic_load_explicit(&results[i], memory_order_relaxed);
	return tally;
}

static void put_when(struct buf *out, struct html_table *table, int64_t time)
{
	if (!time) {
		html_cell(out, table, NULL);
		return;
	}
	html_cell_begin(out, table);
	html_time(out, time);
	html_cell_end(out, table);
}

static void put_since(struct buf *out, struct html_table *table, const struct tally *tally)
{
	html_cell_begin(out, table);
	if (tally)
		buf_printf(out, "%lld succeeded, %lld failed", (long long)tally->good,
			(long long)tally->bad);
	else
		buf_puts(out, "–");
	if (tally && tally->undecided)
		buf_printf(out, ", %lld pending", (long long)tally->undecided);
	html_cell_end(out, table);
}

/* The latest result decides; within the same second, the failure. */
static void put_health(struct buf *out, struct html_table *table, const struct tally *tally)
{
	const char *health = "fails", *kind = "failed";

	if (!tally->last_good && !tally->last_bad) {
		health = "not used yet";
		kind = "recorded";
	} else if (tally->last_good > tally->last_bad) {
		health = "works";
		kind = "delivered";
	}
	html_cell_begin(out, table);
	buf_printf(out, "<span class=\"state %s\">%s</span>", kind, health);
	html_cell_end(out, table);
}

/* --- gateways: times are those of all processes, from the store; numbers the handler's own */

static const struct counters_gateway *find_gateway(const struct counters *counters, const char *url)
{
	size_t named = atomic_load_explicit(&counters->gateways, memory_order_acquire);

	for (size_t i = 0; i < named; i++)
		if (strcmp(counters->gateway[i].url, url) == 0)
			return &counters->gateway[i];
	return NULL;
}

static void later(int64_t *time, int64_t other)
{
	if (other > *time)
		*time = other;
}

static enum err put_gateway(const struct status_data *status, struct html_table *table,
	const char *url, struct error *e)
{
	const struct handler_counters *counters = status->service->counters;
	const struct counters_gateway *gateway =
		counters ? find_gateway(&counters->provider, url) : NULL;
	struct tally tally = {.good = 0};
	int64_t delivered = 0, failed = 0;
	enum err err = store_upload_last(status->store, url, UPLOAD_DELIVERED, &delivered, e);

	if (!err)
		err = store_upload_last(status->store, url, UPLOAD_FAILED, &failed, e);
	if (err)
		return err;
	if (gateway)
		tally = read_tally(gateway->uploads, &gateway->last);
	later(&tally.last_good, delivered);
	later(&tally.last_bad, failed);
	html_cell(status->out, table, url);
	put_health(status->out, table, &tally);
	put_when(status->out, table, tally.last_good);
	put_when(status->out, table, tally.last_bad);
	put_since(status->out, table, gateway ? &tally : NULL);
	return ERR_OK;
}

static const char *const columns[] = {
	"Name", "State", "Last success", "Last failure", "Since the handler's start"};

static void put_gateways(const struct status_data *status)
{
	char *const *urls = status->service->config->escrow.urls;
	struct html_table table = {
		.caption = "Escrow Gateways: uploads",
		.columns = columns,
		.count = ARRAY_LEN(columns),
	};
	enum err err = ERR_OK;
	struct error e;

	html_table_begin(status->out, &table);
	for (; urls && *urls && !err; urls++)
		err = put_gateway(status, &table, *urls, &e);
	html_table_end(status->out);
	if (err)
		status_data_missing(status, &e);
}

/* --- CAs: a row for each type that was asked */

static void put_authorities(const struct status_data *status)
{
	const struct handler_counters *counters = status->service->counters;
	struct html_table table = {
		.caption = "Certificate authorities: requests for certificates",
		.columns = columns,
		.count = ARRAY_LEN(columns),
	};
	size_t rows = 0;

	for (size_t kind = 0; counters && kind < CA_TYPE_COUNT; kind++) {
		const struct tally tally = read_tally(
			counters->provider.issued[kind], &counters->provider.asked[kind]);

		if (!tally.last_good && !tally.last_bad)
			continue;
		if (rows++ == 0)
			html_table_begin(status->out, &table);
		html_cell(status->out, &table, ca_type_names[kind]);
		put_health(status->out, &table, &tally);
		put_when(status->out, &table, tally.last_good);
		put_when(status->out, &table, tally.last_bad);
		put_since(status->out, &table, &tally);
	}
	if (rows)
		html_table_end(status->out);
	else
		buf_puts(status->out, "<p class=\"none\">The CA has not been asked for a "
				      "certificate since the handler was started.</p>\n");
}

void status_peers_put(const struct status_data *status)
{
	buf_puts(status->out,
		"<section aria-labelledby=\"peers\"><h2 id=\"peers\">CA and gateways"
		"</h2>\n<p>State by the latest answers; this page contacts none of them.</p>\n");
	put_authorities(status);
	put_gateways(status);
	buf_puts(status->out, "</section>\n");
}

/* The section that an administrator sees first: does anything need attention, and the figures. */
#include "fcgi/pages/status_glance.h"

#include "base/clock.h"
#include "fcgi/pages/html.h"
#include "fcgi/pages/status_expiry.h"

/* As the alert CertprovEventsWait has it: by then the timer of `deliver` has come several times. */
#define WAITS_TOO_LONG (2 * 3600)
#define DAY 86400

#define SOME(count) (long long)(count), (count) == 1 ? "" : "s"

/* --- why something needs attention: what stops all events comes first */

static void put_failed(struct buf *out, const char *what, int64_t count)
{
	if (count)
		buf_printf(out,
			"<li>%lld %s%s failed for good: fix the <a href=\"#unfinished\">cause</a>, "
			"then run <code>certprov deliver --now</code></li>\n",
			(long long)count, what, count == 1 ? "" : "s");
}

static void put_store_reasons(const struct status_data *status, struct buf *out)
{
	const struct store_counts *c = &status->counts;
	int64_t waits = c->oldest_pending ? status->now - c->oldest_pending : 0;

	if (waits > WAITS_TOO_LONG)
		buf_printf(out,
			"<li>The oldest pending event has waited for %lld hours: see its "
			"<a href=\"#unfinished\">cause</a>, and check that the timer of "
			"<code>certprov deliver</code> runs</li>\n",
			(long long)(waits / 3600));
	put_failed(out, "event", c->events[EVENT_STATE_FAILED]);
	put_failed(out, "upload", c->uploads[UPLOAD_FAILED]);
	if (c->expired)
		buf_printf(out,
			"<li>%lld active certificate%s expired: check that the timer of "
			"<code>certprov renew</code> runs</li>\n",
			(long long)c->expired, c->expired == 1 ? " has" : "s have");
}

static void put_barred(const struct barred_peer *ca, struct buf *out)
{
	struct buf text = BUF_INIT(2048);

	barred_peer_text(ca, &text);
	buf_puts(out, "<li>");
	html_escape(out, text.failed ? ca->state.cause : text.data);
	buf_puts(out, "</li>\n");
	buf_free(&text);
}

static void put_access_reason(const struct handler_counters *counters, struct buf *out)
{
	unsigned long long refused = counters ? atomic_load(&counters->unauthenticated) : 0;

	if (!refused)
		return;
	buf_printf(out, "<li>%llu event%s refused for missing or wrong credentials since ", refused,
		refused == 1 ? " was" : "s were");
	html_time(out, atomic_load(&counters->unauthenticated_since));
	buf_puts(out, ", and none was accepted: check the user and password in UEM; the log names "
		      "the senders</li>\n");
}

static void put_reasons(const struct status_data *status, struct buf *out)
{
	if (!status->store_answers)
		buf_puts(out, "<li>The store does not answer: see the log, and run "
			      "<code>certprov check</code></li>\n");
	put_access_reason(status->service->counters, out);
	for (size_t i = 0; i < status->barred_count; i++)
		put_barred(&status->barred[i], out);
	put_store_reasons(status, out);
	for (int i = 0; i < EXPIRY_COUNT; i++) {
		const struct expiry *expiry = &status->expiries[i];

		if (expiry_is_near(expiry)) {
			buf_puts(out, "<li>");
			status_expiry_put_text(expiry, out);
			buf_puts(out, ": see <a href=\"#expiry\">expiry</a></li>\n");
		}
	}
}

#define REASONS_MAX 4096

bool status_glance_is_well(const struct status_data *status)
{
	struct buf none = BUF_INIT(REASONS_MAX);
	bool well;

	put_reasons(status, &none);
	well = none.len == 0 && !none.failed;
	buf_free(&none);
	return well;
}

/* --- figures */

static void put_number(struct buf *out, const char *name, int64_t value)
{
	buf_printf(out, "<div><dt>%s</dt><dd>%lld</dd></div>\n", name, (long long)value);
}

static void put_handler(const struct status_data *status)
{
	const struct handler_counters *counters = status->service->counters;
	const struct handler_counters_workers workers = handler_counters_workers(counters);
	struct buf *out = status->out;

	buf_puts(out, "<div><dt>Version</dt><dd>" PACKAGE_VERSION "</dd></div>\n"
		      "<div><dt>Running since</dt><dd>");
	if (counters)
		html_time(out, counters->started);
	else
		buf_puts(out, "this request (CGI)");
	buf_puts(out, "</dd></div>\n");
	if (counters)
		buf_printf(out, "<div><dt>Workers busy</dt><dd>%u of %u</dd></div>\n", workers.busy,
			workers.total);
}

static void put_unfinished(struct buf *out, const char *name, int64_t pending, int64_t failed)
{
	buf_printf(out, "<div><dt>%s</dt><dd>%lld pending, <span%s>%lld failed</span></dd></div>\n",
		name, (long long)pending, failed ? " class=\"bad\"" : "", (long long)failed);
}

static void put_wait(const struct status_data *status)
{
	int64_t since = status->counts.oldest_pending;
	long long minutes = since ? (long long)(status->now - since) / 60 : 0;

	buf_puts(status->out, "<div><dt>Oldest pending</dt><dd>");
	if (!since)
		buf_puts(status->out, "none");
	else if (minutes < 120)
		buf_printf(status->out, "%lld min", minutes);
	else if (minutes < 2 * DAY / 60)
		buf_printf(status->out, "%lld h", minutes / 60);
	else
		buf_printf(status->out, "%lld days", minutes / (DAY / 60));
	buf_puts(status->out, "</dd></div>\n");
}

static void put_reconciled(const struct status_data *status)
{
	const struct store_reconciliation *last = &status->reconciled;

	buf_puts(status->out, "<div><dt>Last reconciled with UEM</dt><dd>");
	if (last->at)
		html_time(status->out, last->at);
	else
		buf_puts(status->out, "not yet");
	buf_puts(status->out, "</dd></div>\n");
	if (last->at)
		put_number(status->out, "Events missed until then",
			last->missed_enrollments + last->missed_unenrollments);
}

static void put_stored(const struct status_data *status)
{
	const struct store_counts *c = &status->counts;
	struct buf *out = status->out;

	put_unfinished(
		out, "Events", c->events[EVENT_STATE_PENDING], c->events[EVENT_STATE_FAILED]);
	put_unfinished(out, "Uploads", c->uploads[UPLOAD_PENDING], c->uploads[UPLOAD_FAILED]);
	put_wait(status);
	if (c->requests_pending)
		put_number(out, "Requests pending at a CA", c->requests_pending);
	put_number(out, "Devices enrolled", c->devices - c->devices_unenrolled);
	put_number(out, "Users", c->users);
	put_number(out, "Active signing certificates",
		c->certificates[USAGE_SIGNING][CREDENTIAL_ACTIVE]);
	put_number(out, "Active encryption certificates",
		c->certificates[USAGE_ENCRYPTION][CREDENTIAL_ACTIVE]);
	if (status->service->config->uem.url)
		put_reconciled(status);
}

/* A conflict that is over needs no attention, and may be intended ([identity] address-conflict). */
static void put_conflicts(const struct status_data *status)
{
	const struct store_conflicts *conflicts = &status->conflicts;
	struct buf *out = status->out;

	if (!conflicts->count)
		return;
	buf_printf(out,
		"<p class=\"conflicts\">%lld event%s asked for the address of another "
		"user, the latest at ",
		SOME(conflicts->count));
	html_time(out, conflicts->at);
	buf_puts(out, ": user ");
	html_value(out, conflicts->user_uuid);
	buf_puts(out, ", but ");
	html_value(out, conflicts->detail);
	buf_puts(out,
		": <code>certprov list events --audit --state 'address conflict'</code></p>\n");
}

void status_glance_put(const struct status_data *status)
{
	struct buf *out = status->out;

	buf_puts(out, "<section aria-labelledby=\"glance\"><h2 id=\"glance\">At a glance</h2>\n");
	if (status_glance_is_well(status)) {
		buf_puts(out, "<p class=\"verdict well\">All is well</p>\n");
	} else {
		buf_puts(out, "<div class=\"verdict attention\"><p>Needs attention</p>\n<ul>\n");
		put_reasons(status, out);
		buf_puts(out, "</ul></div>\n");
	}
	buf_puts(out, "<dl class=\"figures\">\n");
	put_handler(status);
	if (status->store_answers)
		put_stored(status);
	buf_puts(out, "</dl>\n");
	put_conflicts(status);
	buf_puts(out, "</section>\n");
}

/*
 * The section of expiry, on a time line: the first slot is the past, then come the rest of this
 * month, the twelve after it, and all later ones. Places on it are in hundredths of a percent of
 * its width.
 */
#include "fcgi/pages/status_expiry.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "fcgi/pages/html.h"

#define MONTHS 13
#define SLOTS (MONTHS + 2)
#define LATER (SLOTS - 1)
#define PLACES 10000
#define SLOT_WIDTH (PLACES / SLOTS)

#define LANE_HEIGHT 30
#define BAR_TOP (LANE_HEIGHT * EXPIRY_COUNT + 24)
#define BAR_HEIGHT 90
#define BAR_FOOT (BAR_TOP + BAR_HEIGHT)
#define HEIGHT (BAR_FOOT + 20)
#define PLACE "%d.%02d%%"
#define AT(place) (place) / 100, (place) % 100

struct line {
	int64_t from[SLOTS + 1]; /* slot i: from[i] to before from[i + 1] */
	int64_t count[SLOTS], most;
	char name[SLOTS][sizeof("2026-12")]; /* "expired", "2026-12" …, "later" */
	char letters[SLOTS][4];		     /* the same, short */
};

static void name_slots(struct line *line)
{
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	snprintf(line->name[0], sizeof(line->name[0]), "expired");
	snprintf(line->letters[0], sizeof(line->letters[0]), "–");
	for (int i = 1; i < LATER; i++) {
		const time_t last = (time_t)line->from[i + 1] - 1;
		char text[CLOCK_RFC3339_SIZE];
		struct tm tm = {.tm_mday = 1};

		gmtime_r(&last, &tm);
		clock_rfc3339(last, text);
		snprintf(line->name[i], sizeof(line->name[i]), "%.7s", text);
		snprintf(line->letters[i], sizeof(line->letters[i]), "%s", months[tm.tm_mon]);
	}
	snprintf(line->name[LATER], sizeof(line->name[LATER]), "later");
	snprintf(line->letters[LATER], sizeof(line->letters[LATER]), "…");
}

static void set_slots(struct line *line, int64_t now)
{
	const time_t time = (time_t)now;
	struct tm tm = {.tm_mday = 1};
	int month;

	gmtime_r(&time, &tm);
	month = tm.tm_mon;
	line->from[0] = INT64_MIN;
	line->from[1] = now;
	for (int i = 2; i <= LATER; i++) {
		struct tm first = {.tm_year = tm.tm_year, .tm_mon = month + i - 1, .tm_mday = 1};

		line->from[i] = timegm(&first);
	}
	line->from[SLOTS] = INT64_MAX;
	name_slots(line);
}

static enum err count_slots(const struct status_data *status, struct line *line, struct error *e)
{
	enum err err = ERR_OK;

	for (int i = 0; !err && i < SLOTS; i++) {
		err = store_count_ending(
			status->store, line->from[i], line->from[i + 1], &line->count[i], e);
		if (!err && line->count[i] > line->most)
			line->most = line->count[i];
	}
	return err;
}

static bool is_known(const struct expiry *expiry)
{
	return expiry->level != EXPIRY_NONE && expiry->level != EXPIRY_UNKNOWN;
}

static int place_of(const struct line *line, int64_t time)
{
	int slot = 0;

	while (slot < LATER && time >= line->from[slot + 1])
		slot++;
	if (slot == 0 || slot == LATER)
		return slot * SLOT_WIDTH + SLOT_WIDTH / 2;
	return slot * SLOT_WIDTH + (int)((time - line->from[slot]) * SLOT_WIDTH /
					   (line->from[slot + 1] - line->from[slot]));
}

/* --- the picture */

/* A certificate or list of our own: a line until it expires, with its name above. */
static void put_lane(const struct expiry *expiry, const struct line *line, int y, struct buf *out)
{
	int place = place_of(line, expiry->not_after);
	bool right = place > PLACES / 2;
	const char *mood = expiry_is_near(expiry) ? "near" : "fine";

	buf_printf(out,
		"<g class=\"%s\"><line x1=\"0\" x2=\"" PLACE "\" y1=\"%d\" y2=\"%d\"/>"
		"<circle cx=\"" PLACE "\" cy=\"%d\" r=\"5\"/>"
		"<text x=\"" PLACE "\" y=\"%d\"%s>%s%s</text></g>\n",
		mood, AT(place), y, y, AT(place), y, AT(right ? place : 0), y - 8,
		right ? " text-anchor=\"end\"" : "", expiry_name(expiry->what),
		*mood == 'n' ? " (!)" : "");
}

/* 12345 becomes "12k": more would not fit a phone. */
static void put_short(struct buf *out, int64_t count)
{
	if (count < 1000)
		buf_printf(out, "%lld", (long long)count);
	else if (count < 9950)
		buf_printf(out, "%lld.%lldk", (long long)((count + 50) / 1000),
			(long long)((count + 50) % 1000 / 100));
	else
		buf_printf(out, "%lldk", (long long)((count + 500) / 1000));
}

static void put_bar(const struct line *line, int slot, struct buf *out)
{
	int left = slot * SLOT_WIDTH + SLOT_WIDTH / 8, middle = slot * SLOT_WIDTH + SLOT_WIDTH / 2;
	int height = line->most ? (int)(line->count[slot] * BAR_HEIGHT / line->most) : 0;

	if (line->count[slot]) {
		height = height < 2 ? 2 : height;
		buf_printf(out,
			"<rect class=\"%s\" x=\"" PLACE "\" width=\"" PLACE
			"\" y=\"%d\" height=\"%d\"/><text class=\"count\" x=\"" PLACE
			"\" y=\"%d\">",
			slot ? "bar" : "bar over", AT(left), AT(SLOT_WIDTH * 3 / 4),
			BAR_FOOT - height, height, AT(middle), BAR_FOOT - height - 4);
		put_short(out, line->count[slot]);
		buf_puts(out, "</text>");
	}
	buf_printf(out, "<text class=\"month\" x=\"" PLACE "\" y=\"%d\">%s</text>\n", AT(middle),
		BAR_FOOT + 15, line->letters[slot]);
}

/* The numbers follow in words, so the text alternative needs none. */
static void put_picture(const struct status_data *status, const struct line *line)
{
	struct buf *out = status->out;

	buf_printf(out,
		"<svg role=\"img\" aria-labelledby=\"line-title line-text\" width=\"100%%\" "
		"height=\"%d\"><title id=\"line-title\">Expiry in the next %d months</title>"
		"<desc id=\"line-text\">Lines show until when our own certificates and lists are "
		"valid, bars how many active certificates expire in each month. The same follows "
		"in words and as a table.</desc>\n",
		HEIGHT, MONTHS);
	for (int i = 0; i < EXPIRY_COUNT; i++)
		if (is_known(&status->expiries[i]))
			put_lane(&status->expiries[i], line, LANE_HEIGHT * (i + 1), out);
	for (int i = 0; i < SLOTS; i++)
		put_bar(line, i, out);
	buf_printf(out, "<line class=\"foot\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/></svg>\n",
		BAR_FOOT, BAR_FOOT);
}

/* --- the same in words */

#define TEXT_MAX 2048

void status_expiry_put_text(const struct expiry *expiry, struct buf *out)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_puts(&text, "");
	if (expiry->level == EXPIRY_UNKNOWN)
		buf_puts(&text, "cannot be read: run certprov check");
	else
		expiry_text(expiry, &text);
	html_escape(out, expiry_name(expiry->what));
	buf_putc(out, ' ');
	html_escape(out, text.failed ? "" : text.data);
	buf_free(&text);
}

static void put_words(const struct status_data *status)
{
	const struct store_counts *c = &status->counts;
	struct buf *out = status->out;

	buf_puts(out, "<ul class=\"words\">\n");
	for (int i = 0; i < EXPIRY_COUNT; i++) {
		const struct expiry *expiry = &status->expiries[i];

		if (expiry->level == EXPIRY_NONE)
			continue;
		buf_puts(out, expiry_is_near(expiry) ? "<li class=\"near\">" : "<li>");
		status_expiry_put_text(expiry, out);
		buf_puts(out, "</li>\n");
	}
	if (status->store_answers)
		buf_printf(out,
			"<li>active certificates: %lld expire within 7 days, %lld within 30, %lld "
			"within 60; %lld have expired</li>\n",
			(long long)c->expiring_7d, (long long)c->expiring_30d,
			(long long)c->expiring_60d, (long long)c->expired);
	buf_puts(out, "</ul>\n");
}

static void put_table(struct buf *out, const struct line *line)
{
	static const char *const columns[] = {"Month", "Certificates"};
	struct html_table table = {.caption = "Active certificates by month of expiry",
		.columns = columns,
		.count = ARRAY_LEN(columns)};
	char number[24];

	buf_puts(out, "<details class=\"months\"><summary>As a table</summary>\n");
	html_table_begin(out, &table);
	for (int i = 0; i < SLOTS; i++) {
		html_cell(out, &table, line->name[i]);
		snprintf(number, sizeof(number), "%lld", (long long)line->count[i]);
		html_cell(out, &table, number);
	}
	html_table_end(out);
	buf_puts(out, "</details>\n");
}

void status_expiry_put(const struct status_data *status)
{
	struct line line = {.most = 0};
	struct error e;

	buf_puts(status->out, "<section aria-labelledby=\"expiry\"><h2 id=\"expiry\">Expiry"
			      "</h2>\n");
	set_slots(&line, status->now);
	if (count_slots(status, &line, &e)) {
		status_data_missing(status, &e);
		put_words(status);
	} else {
		put_picture(status, &line);
		put_words(status);
		put_table(status->out, &line);
	}
	buf_puts(status->out, "</section>\n");
}

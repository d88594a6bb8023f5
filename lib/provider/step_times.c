/* The steps of one event with their times: for its log line and the counters. */

#include "provider/step_times.h"

#include "base/clock.h"
#include "provider/counters.h"

void step_times_start(struct step_times *steps, struct counters *counters)
{
	steps->counters = counters;
	steps->count = 0;
	steps->started = steps->last = clock_monotonic_us();
}

void step_times_done(struct step_times *steps, enum step step, const char *result)
{
	int64_t now = clock_monotonic_us(), us = now - steps->last;

	if (steps->count < STEP_TIMES_MAX) {
		steps->done[steps->count].step = step;
		steps->done[steps->count].result = result;
		steps->done[steps->count].us = us;
		steps->count++;
	}
	steps->last = now;
	counters_step(steps->counters, step, us);
}

void step_times_count(const struct step_times *steps, struct counters *counters, int64_t event_id)
{
	struct counters_attempt attempt;

	for (int i = 0; i < STEP_COUNT; i++)
		attempt.us[i] = -1;
	for (size_t i = 0; i < steps->count; i++) {
		int64_t *us = &attempt.us[steps->done[i].step];

		*us = (*us < 0 ? 0 : *us) + steps->done[i].us;
	}
	counters_attempt(counters, event_id, &attempt);
}

static void print_ms(struct buf *out, int64_t us)
{
	buf_printf(out, "%lld.%lld", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

const char *step_times_print(const struct step_times *steps, struct buf *out)
{
	for (size_t i = 0; i < steps->count; i++) {
		const char *result = steps->done[i].result;

		buf_printf(out, "%s=%s%s", step_names[steps->done[i].step], result ? result : "",
			result ? ":" : "");
		print_ms(out, steps->done[i].us);
		buf_puts(out, "ms ");
	}
	buf_puts(out, "total=");
	print_ms(out, steps->last - steps->started);
	buf_puts(out, "ms");
	return out->failed ? "" : out->data;
}

static void print_step(struct buf *out, const char *name, const char *result, int64_t us)
{
	buf_puts(out, "{\"step\":");
	buf_json_string(out, name);
	if (result) {
		buf_puts(out, ",\"result\":");
		buf_json_string(out, result);
	}
	buf_puts(out, ",\"ms\":");
	print_ms(out, us);
	buf_putc(out, '}');
}

const char *step_times_json(const struct step_times *steps, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < steps->count; i++) {
		print_step(out, step_names[steps->done[i].step], steps->done[i].result,
			steps->done[i].us);
		buf_putc(out, ',');
	}
	print_step(out, "total", NULL, steps->last - steps->started);
	buf_putc(out, ']');
	return out->failed ? "[]" : out->data;
}

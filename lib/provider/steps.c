#include "provider/steps.h"

#include "base/clock.h"

void steps_start(struct steps *steps)
{
	steps->count = 0;
	steps->started = steps->last = clock_monotonic_us();
}

void steps_done(struct steps *steps, const char *name, const char *result)
{
	int64_t now = clock_monotonic_us();

	if (steps->count < STEPS_MAX) {
		steps->step[steps->count].name = name;
		steps->step[steps->count].result = result;
		steps->step[steps->count].us = now - steps->last;
		steps->count++;
	}
	steps->last = now;
}

static void print_ms(struct buf *out, int64_t us)
{
	buf_printf(out, "%lld.%lldms", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

void steps_print(const struct steps *steps, struct buf *out)
{
	for (size_t i = 0; i < steps->count; i++) {
		const char *result = steps->step[i].result;

		buf_printf(out, "%s=%s%s", steps->step[i].name, result ? result : "",
			result ? ":" : "");
		print_ms(out, steps->step[i].us);
		buf_putc(out, ' ');
	}
	buf_puts(out, "total=");
	print_ms(out, steps->last - steps->started);
}

/* The daily lines in the log about certificates and lists of our own that expire. */
#include "fcgi/expiry_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/try_in_child.h"
#include "provider/expiry.h"

#define INTERVAL (24 * 3600)
#define WAIT_MAX 3600

void expiry_log_check(struct expiry_log *expiry_log, const struct config *config)
{
	struct expiry expiries[EXPIRY_COUNT];
	struct error e;

	expiry_log->checked_at = clock_now();
	if (try_in_child_expiry(config, expiries, &e)) {
		log_warning("cannot check when our certificates expire: %s", e.text);
		return;
	}
	for (int i = 0; i < EXPIRY_COUNT; i++) {
		const struct expiry *expiry = &expiries[i];
		struct buf text = BUF_INIT(2048);

		if (!expiry_is_near(expiry))
			continue;
		expiry_text(expiry, &text);
		log_line(expiry_log_level(expiry), "%s %s", expiry_name(expiry->what), text.data);
		buf_free(&text);
	}
}

int64_t expiry_log_wait_ms(const struct expiry_log *expiry_log)
{
	int64_t passed = clock_now() - expiry_log->checked_at;

	if (passed < 0 || passed >= INTERVAL) /* a clock that was set back, too */
		return 0;
	return 1000LL * (INTERVAL - passed < WAIT_MAX ? INTERVAL - passed : WAIT_MAX);
}

#include "fcgi/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/trial.h"
#include "provider/expiry.h"

#define INTERVAL (24 * 3600)
#define WAIT_MAX 3600

static void log_expiry(const struct expiry *expiry)
{
	struct buf text = BUF_INIT(2048);

	if (!expiry_is_near(expiry))
		return;
	expiry_text(expiry, &text);
	log_line(expiry_log_level(expiry), "%s %s", expiry_name(expiry->what), text.data);
	buf_free(&text);
}

void watch_look(struct watch *watch, const struct config *config)
{
	struct expiry expiries[EXPIRY_COUNT];
	struct error e;

	watch->looked_at = clock_now();
	if (trial_expiry(config, expiries, &e)) {
		log_warning("cannot look at when our certificates end: %s", e.text);
		return;
	}
	for (int i = 0; i < EXPIRY_COUNT; i++)
		log_expiry(&expiries[i]);
}

int64_t watch_wait(const struct watch *watch)
{
	int64_t passed = clock_now() - watch->looked_at;

	if (passed < 0 || passed >= INTERVAL) /* a clock that was set back, too */
		return 0;
	return 1000LL * (INTERVAL - passed < WAIT_MAX ? INTERVAL - passed : WAIT_MAX);
}

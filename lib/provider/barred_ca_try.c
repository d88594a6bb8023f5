/* Requests to a CA that is barred: one process tries it for all, when its time has come. */

#include "provider/barred_ca_try.h"

#include "base/clock.h"
#include "base/log.h"
#include "provider/backoff.h"
#include "provider/provider_parts.h"

/* backoff_seconds() then begins with four minutes: an account may be locked by a few tries. */
#define HEAD_START 2

/* Added to the CA's own time limit: after that another process may try. */
#define TRY_MARGIN 60

static struct store_access access_of(const struct provider *p, const struct ca *ca)
{
	return (struct store_access){.ca = ca_config(ca)->section,
		.inputs = p->fingerprint,
		.run = p->now && p->run ? p->run : ""};
}

/* --- a request */

static enum err not_now(const struct provider *p, const struct ca *ca, const struct store_barred *b,
	struct error *e)
{
	int64_t wait = b->until - clock_now();
	struct barred_ca barred = {.section = ca_config(ca)->section, .state = *b};
	struct buf text = BUF_INIT(ERROR_TEXT_MAX);

	(void)p;
	barred_ca_text(&barred, &text);
	error_set(e, ERR_BARRED, "%s", text.failed ? b->cause : text.data);
	e->retry_after = wait > 0 ? (int)wait : 1;
	buf_free(&text);
	return e->code;
}

enum err barred_ca_enter(struct provider *p, const struct ca *ca, bool *known, struct error *e)
{
	const struct store_access access = access_of(p, ca);
	struct store_barred barred;
	bool ours = false;
	enum err err;

	*known = false;
	if (!ca_wants_request(ca))
		return ERR_OK;
	err = store_access_find(p->store, &access, &barred, e);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	err = store_access_try(p->store, &access, ca_config(ca)->timeout + TRY_MARGIN, &ours, e);
	if (err)
		return err;
	if (!ours)
		return not_now(p, ca, &barred, e);
	*known = true;
	return ERR_OK;
}

static enum err bar(
	struct provider *p, const struct store_access *access, struct error *why, struct error *e)
{
	struct store_barred barred = {.tries = 0};
	enum err err = store_access_find(p->store, access, &barred, e);
	int64_t wait;

	if (err && err != ERR_NOT_FOUND)
		return err;
	wait = backoff_seconds(barred.tries + HEAD_START, why->retry_after);
	err = store_access_bar(p->store, access, wait, why->text, e);
	if (!err)
		why->retry_after = (int)wait;
	return err;
}

void barred_ca_leave(
	struct provider *p, const struct ca *ca, bool known, enum err came, struct error *e)
{
	const struct store_access access = access_of(p, ca);
	enum err err = ERR_OK;
	struct error unwritten;

	if (!ca_wants_request(ca))
		return;
	if (came == ERR_BARRED || came == ERR_CONFIG)
		err = bar(p, &access, e, &unwritten);
	else if (known && (came == ERR_OK || came == ERR_PENDING || came == ERR_REFUSED))
		err = store_access_open(p->store, &access, &unwritten);
	if (err)
		log_error("the CA of [%s]: what it answered could not be recorded: %s", access.ca,
			unwritten.text);
}

/* --- which they are */

enum err barred_ca_of_provider(
	struct provider *p, struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e)
{
	return barred_ca_find(p->config, p->fingerprint, p->store, out, count, e);
}

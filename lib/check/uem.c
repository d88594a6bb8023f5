/* [uem]: can we log in, and does what answers know devices and users? */

#include "base/clock.h"
#include "check/subject.h"
#include "provider/barred_peer.h"
#include "provider/config_fingerprint.h"
#include "store/barred.h"
#include "uem/device.h"
#include "uem/login_turn.h"
#include "uem/user.h"

#define ABOUT "UEM"

/* Nobody's: all that is asked is whether UEM says so in its own words. */
#define NOBODY "ffffffff-ffff-4fff-8fff-ffffffffffff"

/* NULL: it cannot be opened, which is reported. */
static struct uem_api *open_api(struct check *c)
{
	struct uem_api *api = NULL;
	struct error e;

	if (uem_api_open(c->config, &api, &e))
		finding_error(c, ABOUT, &e);
	return api;
}

static enum err ask(struct uem_api *api, int64_t deadline, struct error *e)
{
	struct uem_user *user = NULL;
	struct uem_device device;
	enum err err = uem_device_find(api, NOBODY, false, deadline, &device, e);

	if (!err || err == ERR_NOT_FOUND)
		err = uem_user_find(api, NOBODY, false, deadline, &user, e);
	uem_user_free(user);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A password that was rejected, to whomever, is not tried again: the account could be locked. */
static enum err ask_unless_barred(
	struct check *c, struct uem_api *api, int64_t deadline, struct error *e)
{
	char fingerprint[DIGEST_HEX_SIZE] = "";
	const struct store_peer peer = {BARRED_UEM, fingerprint, ""};
	struct barred_peer barred = {.section = BARRED_UEM};
	struct buf text = BUF_INIT(ERROR_TEXT_MAX);
	struct error ignored;
	enum err err = config_fingerprint(c->config, fingerprint, e);

	if (err)
		return err;
	if (!store_barred_find(c->store, &peer, &barred.state, &ignored) &&
		barred.state.until == STORE_WAIT_ENDLESS) {
		barred_peer_text(&barred, &text);
		err = error_set(e, ERR_BARRED, "%s", text.failed ? barred.state.cause : text.data);
		buf_free(&text);
		return err;
	}
	err = ask(api, deadline, e);
	if (err == ERR_BARRED && uem_api_rejected_password(api) &&
		store_barred_set(c->store, &peer, STORE_WAIT_ENDLESS, e->text, &ignored))
		finding_error(c, ABOUT, &ignored);
	return err;
}

static void check_answers(struct check *c, struct uem_api *api)
{
	int64_t deadline = clock_monotonic_ms() + c->config->uem.timeout * 1000;
	struct login_turn turn;
	struct error e;
	enum err err = login_turn_take(c->config, deadline, &turn, &e);

	if (!err) {
		err = c->store && c->config->uem.username ? ask_unless_barred(c, api, deadline, &e)
							  : ask(api, deadline, &e);
		login_turn_end(&turn);
	}
	finding_result(c, ABOUT, err, &e, c->config->uem.url);
}

static void check(struct check *c)
{
	struct uem_api *api;

	if (!c->config->uem.url)
		return;
	api = open_api(c);
	if (api)
		check_answers(c, api);
	uem_api_close(api);
	if (!c->config->uem.confirm)
		finding_warn(c, "uem.confirm",
			"events are believed unchecked: anyone with the webhook's password can get "
			"the keys of any user" FIX "set confirm = yes in [uem]");
}

static void check_start(struct check *c)
{
	if (c->config->uem.url)
		uem_api_close(open_api(c));
}

const struct check_subject subject_uem = {check, check_start};

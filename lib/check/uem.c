/* [uem]: can we log in, and does what answers know devices and users? */

#include "base/clock.h"
#include "check/subject.h"
#include "uem/device.h"
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

static void check_answers(struct check *c, struct uem_api *api)
{
	const char *url = c->config->uem.url;
	int64_t deadline = clock_monotonic_ms() + c->config->uem.timeout * 1000;
	struct uem_user *user = NULL;
	struct uem_device device;
	struct error e;
	enum err err = uem_device_find(api, NOBODY, false, deadline, &device, &e);

	if (!err || err == ERR_NOT_FOUND)
		err = uem_user_find(api, NOBODY, false, deadline, &user, &e);
	uem_user_free(user);
	if (err == ERR_NOT_FOUND)
		err = ERR_OK;
	finding_result(c, ABOUT, err, &e, url);
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
			"events are believed: whoever has the webhook's password can get the keys "
			"of any user" FIX "set confirm = yes in [uem]");
}

static void check_start(struct check *c)
{
	if (c->config->uem.url)
		uem_api_close(open_api(c));
}

const struct check_subject subject_uem = {check, check_start};

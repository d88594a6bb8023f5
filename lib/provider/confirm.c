/*
 * Asks UEM whether what an event claims is true. It decides about devices and users, not about
 * addresses: see identify.c.
 */
#include "provider/confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/barred_peer_try.h"
#include "provider/provider_parts.h"
#include "store/confirmation.h"
#include "uem/device.h"
#include "uem/devices.h"
#include "uem/login_turn.h"
#include "uem/users.h"

struct confirmation {
	struct uem_api *api;
	struct uem_users users;
};

enum err confirmation_open(const struct config *config, struct confirmation **out, struct error *e)
{
	struct confirmation *confirmation;
	enum err err;

	if (!config->uem.url)
		return ERR_OK;
	confirmation = calloc(1, sizeof(*confirmation));
	if (!confirmation)
		return error_memory(e);
	err = uem_api_open(config, &confirmation->api, e);
	if (err) {
		free(confirmation);
		return err;
	}
	confirmation->users.api = confirmation->api;
	*out = confirmation;
	return ERR_OK;
}

void confirmation_close(struct confirmation *confirmation)
{
	if (!confirmation)
		return;
	uem_users_fini(&confirmation->users);
	uem_api_close(confirmation->api);
	free(confirmation);
}

/* --- what UEM says */

/* All questions of one event. */
struct inquiry {
	struct provider *p;
	const char *device_uuid, *user_uuid;
	bool bulk;
	int64_t deadline;
	const struct uem_user *user; /* NULL: not asked for, or UEM does not know them */
	struct uem_devices *devices; /* NULL: the question is no list */
};

static enum err not_confirmed(struct error *e, const char *fmt, ...) printf_like(2, 3);
static enum err not_confirmed(struct error *e, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(e, ERR_FORBIDDEN, NOT_CONFIRMED ": %s", text);
}

static enum err find_user(struct inquiry *q, struct error *e)
{
	enum err err = uem_users_find(
		&q->p->confirmation->users, q->user_uuid, q->bulk, q->deadline, &q->user, e);

	if (err == ERR_NOT_FOUND)
		return not_confirmed(e, "it has no user %s", q->user_uuid);
	return err;
}

/*
 * An answer that is not in UEM's words may come from another server: UEM is there if it knows the
 * user, or says in its own words that it does not. It is asked: what we keep of the user does not
 * tell who answers now.
 */
static enum err find_device(struct inquiry *q, struct uem_device *out, struct error *e)
{
	struct confirmation *confirmation = q->p->confirmation;
	struct error why;
	enum err err =
		uem_device_find(confirmation->api, q->device_uuid, q->bulk, q->deadline, out, e);

	if (err != ERR_GARBLED || !*q->user_uuid)
		return err;
	uem_users_forget(&confirmation->users, q->user_uuid);
	err = find_user(q, &why);
	if (!err || err == ERR_FORBIDDEN)
		return ERR_NOT_FOUND;
	if (err == ERR_GARBLED)
		return err;
	*e = why;
	return err;
}

/* An enrollment, or the keys of a user on their way to a device. */
static enum err check_enrolled(struct inquiry *q, struct error *e)
{
	struct uem_device device;
	enum err err = find_device(q, &device, e);

	if (err == ERR_NOT_FOUND)
		return not_confirmed(e, "it has no device %s", q->device_uuid);
	if (err)
		return err;
	if (!device.enrolled)
		return not_confirmed(
			e, "device %s is not enrolled, but %s", q->device_uuid, device.status);
	if (strcmp(device.user_uuid, q->user_uuid) != 0)
		return not_confirmed(e,
			"the event says device %s belongs to user %s; in UEM it belongs to %s",
			q->device_uuid, q->user_uuid,
			*device.user_uuid ? device.user_uuid : "nobody");
	err = find_user(q, e);
	if (!err && q->user->staging)
		err = not_confirmed(
			e, "user %s enrolls devices for others (staging)", q->user_uuid);
	return err;
}

static enum err check_unenrolled(struct inquiry *q, struct error *e)
{
	struct uem_device device;
	enum err err = find_device(q, &device, e);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err && device.enrolled)
		err = not_confirmed(e, "device %s is still enrolled", q->device_uuid);
	return err;
}

static enum err list_devices(struct inquiry *q, struct error *e)
{
	return uem_devices_next(q->p->confirmation->api, q->devices, q->deadline, e);
}

/* --- the question, with what all peers have: a breaker, and a bar where credentials are wrong */

static enum err ask_now(
	struct inquiry *q, enum err (*check)(struct inquiry *q, struct error *e), struct error *e)
{
	struct breaker *breaker = admission_uem_breaker(q->p->pass);
	struct barred_peer_try request = {
		.section = BARRED_UEM, .timeout = q->p->config->uem.timeout};
	int64_t began = clock_monotonic_ms();
	enum err err = barred_peer_enter(q->p, &request, e);

	if (!err)
		err = breaker_ask(breaker, "UEM", began, e);
	if (err)
		return err;
	err = check(q, e);
	breaker_note(breaker, "UEM", err, began, clock_monotonic_ms());
	request.once = uem_api_rejected_password(q->p->confirmation->api);
	/* A role may lack the right to list; a password that is wrong must not be tried again. */
	if (!(err == ERR_BARRED && q->devices && !request.once && !request.known))
		barred_peer_leave(q->p, &request, err, e);
	/* An error that judges nothing is never final. */
	if (err && err != ERR_FORBIDDEN && !error_meaning(err)->retry)
		e->code = err = ERR_UNAVAILABLE;
	return err;
}

/* All of the time limit: for the turn, and for the answers. */
static enum err ask(
	struct inquiry *q, enum err (*check)(struct inquiry *q, struct error *e), struct error *e)
{
	const struct config *config = q->p->config;
	int64_t began = admission_wait_begins(q->p->pass);
	struct login_turn turn;
	enum err err;

	q->deadline = began + config->uem.timeout * 1000;
	err = login_turn_take(config, q->deadline, &turn, e);
	if (!err) {
		err = ask_now(q, check, e);
		login_turn_end(&turn);
	}
	admission_wait_ends(q->p->pass, began);
	return err;
}

bool confirm_is_wanted(const struct provider *p)
{
	return p->confirmation && p->config->uem.confirm;
}

/* Asks, and writes down that it is so. */
static enum err confirm_enrolled(struct inquiry *q, struct error *e)
{
	const struct store_pair pair = store_pair_of(q->device_uuid, q->user_uuid);
	enum err err = ask(q, check_enrolled, e);

	return err ? err : store_confirmation_note(q->p->store, &pair, e);
}

enum err confirm_event(struct provider *p, const struct event *event, struct error *e)
{
	struct inquiry q = {
		.p = p,
		.device_uuid = event->device_uuid,
		.user_uuid = event->user_uuid,
		.bulk = p->bulk,
	};

	if (!confirm_is_wanted(p))
		return ERR_OK;
	return event->kind == EVENT_UNENROLLED ? ask(&q, check_unenrolled, e)
					       : confirm_enrolled(&q, e);
}

enum err confirm_device(struct provider *p, const struct store_pair *pair, struct error *e)
{
	struct inquiry q = {
		.p = p,
		.device_uuid = pair->device_uuid,
		.user_uuid = pair->user_uuid,
		.bulk = true,
	};
	int64_t at = 0;
	enum err err;

	if (!confirm_is_wanted(p))
		return ERR_OK;
	err = store_confirmation_time(p->store, pair, &at, e);
	if (err || clock_now() - at < p->config->uem.confirm_age)
		return err;
	return confirm_enrolled(&q, e);
}

enum err confirm_user(struct provider *p, const char *user_uuid, bool fresh,
	const struct uem_user **out, struct error *e)
{
	struct inquiry q = {.p = p, .device_uuid = "", .user_uuid = user_uuid, .bulk = p->bulk};
	enum err err;

	*out = NULL;
	if (!p->confirmation)
		return ERR_OK;
	if (fresh)
		uem_users_forget(&p->confirmation->users, user_uuid);
	*out = uem_users_kept(&p->confirmation->users, user_uuid);
	if (*out)
		return ERR_OK;
	err = ask(&q, find_user, e);
	if (!err)
		*out = q.user;
	return err;
}

enum err confirm_unenrolled(struct provider *p, const struct store_pair *pair, struct error *e)
{
	struct inquiry q = {
		.p = p,
		.device_uuid = pair->device_uuid,
		.user_uuid = pair->user_uuid,
		.bulk = true,
	};

	return ask(&q, check_unenrolled, e);
}

enum err confirm_list(struct provider *p, struct uem_devices *devices, struct error *e)
{
	struct inquiry q = {
		.p = p, .device_uuid = "", .user_uuid = "", .bulk = true, .devices = devices};

	return ask(&q, list_devices, e);
}

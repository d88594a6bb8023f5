/*
 * Issues a credential. A local CA takes the key and answers at once. An external CA may issue
 * although its answer is lost, or decide days later: the key and the request are stored before the
 * CA sees the request, and it gets the same request until it has answered.
 */

#include "provider/issue_credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/patience.h"
#include "pki/request.h"
#include "provider/barred_peer_try.h"
#include "provider/provider_parts.h"

#define TERMS_MAX (64 * 1024)
#define BUSY_POLL_MS 50
#define CA_NAME_SIZE 48

/* Added to the CA's own time limit, as the store may be slow, too. */
#define LEASE_MARGIN 60

struct order {
	struct provider *p;
	const struct credential_owner *owner;
	const struct subject *subject;
	const struct store_place *place;
	struct ca *ca;
	int64_t deadline; /* clock_monotonic_ms(): to wait for others, and for the CA */
	struct key *key;
	struct store_request request; /* id 0: there is none */
};

/* Turns the issued certificate and its owner into a row of the store. */
static enum err describe(const struct credential_owner *owner, const struct subject *subject,
	const struct chain *chain, struct credential *c, struct error *e)
{
	struct certificate_info info;
	enum err err = certificate_info(&chain->certificate[0], &info, e);

	if (err)
		return err;
	c->usage = owner->usage;
	c->state = CREDENTIAL_ACTIVE;
	memcpy(c->user_uuid, owner->user_uuid, strlen(owner->user_uuid) + 1);
	memcpy(c->device_uuid, owner->device_uuid, strlen(owner->device_uuid) + 1);
	c->mail = strdup(subject->address.text);
	c->serial = strdup(info.serial);
	c->subject = strdup(info.subject);
	c->issuer = strdup(info.issuer);
	c->not_before = info.not_before;
	c->not_after = info.not_after;
	if (!c->mail || !c->serial || !c->subject || !c->issuer)
		return error_memory(e);
	return chain_join(chain, &c->chain, e);
}

/* A new key pair, from the pool if it has one. */
static enum err new_key(struct provider *p, enum key_type type, struct key **out, struct error *e)
{
	enum err err = p->pool ? key_pool_take(p->pool, type, out, e) : ERR_NOT_FOUND;

	return err ? key_generate(type, out, e) : ERR_OK;
}

/* --- the CA, and the store behind it */

/* Asks the CA, unless its breaker is open. */
static enum err try_ca(const struct order *o, const struct ca_order *order,
	struct ca_answer *answer, struct error *e)
{
	bool shared = o->ca == o->p->ca[USAGE_SIGNING];
	struct breaker *breaker =
		admission_ca_breaker(o->p->pass, shared ? USAGE_SIGNING : o->owner->usage);
	int64_t began = clock_monotonic_ms();
	char name[CA_NAME_SIZE];
	enum err err;

	snprintf(name, sizeof(name), "the CA of [%s]", ca_config(o->ca)->section);
	err = breaker_ask(breaker, name, began, e);
	if (err)
		return err;
	admission_wait_begins(o->p->pass);
	err = ca_issue(o->ca, order, answer, e);
	admission_wait_ends(o->p->pass, began);
	breaker_note(breaker, name, err, began, clock_monotonic_ms());
	return err;
}

/* *out has the CA's answer, even if no certificate was issued. */
static enum err ask(const struct order *o, struct ca_answer *out, struct error *e)
{
	const struct store_request *request = &o->request;
	const struct ca_order order = {
		.usage = o->owner->usage,
		.subject = &o->subject->name,
		.address = &o->subject->address,
		.user_uuid = o->owner->user_uuid,
		.device_uuid = o->owner->device_uuid,
		.key = o->key,
		.request = &request->request,
		.handle = request->handle ? request->handle : "",
		.now = clock_now(),
		.deadline = o->deadline,
	};
	struct barred_peer_try request_try = {
		.section = ca_config(o->ca)->section,
		.timeout = ca_config(o->ca)->timeout,
	};
	bool asks = ca_wants_request(o->ca); /* a local CA bars nobody */
	enum err err = asks ? barred_peer_enter(o->p, &request_try, e) : ERR_OK;

	if (err)
		return err;
	err = try_ca(o, &order, out, e);
	if (asks)
		barred_peer_leave(o->p, &request_try, err, e);
	counters_issued(o->p->counters, ca_config(o->ca)->type, err);
	return err;
}

static enum err keep(const struct order *o, const struct chain *chain, bool *won,
	struct credential *out, struct error *e)
{
	struct store_place place = *o->place;
	struct credential made = {0};
	enum err err = describe(o->owner, o->subject, chain, &made, e);

	place.request = o->request.id;
	if (!err)
		err = key_export(o->key, &made.key, e);
	if (!err)
		err = store_credential_add(o->p->store, &made, &place, won, e);
	if (!err && *won)
		*out = made;
	else
		credential_fini(&made);
	return err;
}

/* --- requests */

/* A digest of all that a request says, and of the CA that it goes to. */
static enum err find_terms(const struct order *o, char out[DIGEST_HEX_SIZE], struct error *e)
{
	const struct name *name = &o->subject->name;
	enum usage usage = o->owner->usage;
	struct buf list = BUF_INIT(TERMS_MAX);
	char ca[CA_TERMS_SIZE] = "";
	enum err err = ca_terms(o->ca, ca, e);

	if (err)
		return err;
	buf_printf(&list, "%s\n%s\n%s\n%s\n", ca, usage_names[usage],
		key_type_names[o->p->config->certificates.key[usage]], o->subject->address.text);
	for (size_t i = 0; i < name->count; i++)
		buf_printf(&list, "%s=%s\n", name->attribute[i].oid, name->attribute[i].value);
	err = buf_check(&list, e);
	if (!err)
		err = digest_hex(list.data, list.len, out, e);
	buf_free(&list);
	return err;
}

/* The request is stored before anyone sees it. */
static enum err add_request(
	struct order *o, const struct store_asking *asking, bool *won, struct error *e)
{
	enum usage usage = o->owner->usage;
	struct store_request made = {.id = 0};
	struct key *key = NULL;
	enum err err = new_key(o->p, o->p->config->certificates.key[usage], &key, e);

	if (!err)
		err = request_make(
			key, usage, &o->subject->name, &o->subject->address, &made.request, e);
	if (!err)
		err = key_export(key, &made.key, e);
	if (!err)
		err = store_request_add(o->p->store, asking, &made, won, e);
	if (!err && *won) {
		o->request = made;
		o->key = key;
		return ERR_OK;
	}
	store_request_fini(&made);
	key_free(key);
	return err;
}

static enum err too_early(int64_t next_at, struct error *e)
{
	int64_t wait = next_at - clock_now();

	error_set(e, ERR_PENDING, "the CA has not decided yet, and is asked again later");
	e->retry_after = wait > 0 ? (int)wait : 1;
	return e->code;
}

/* Each try may issue one more certificate. */
#define UNTIL_CHANGED                                                              \
	"it may have issued a certificate each time, and is asked again when the " \
	"configuration has changed, or by: certprov deliver --now"

static enum err pause_until(int64_t deadline, struct error *e)
{
	const struct timespec pause = {.tv_nsec = BUSY_POLL_MS * 1000000L};

	if (clock_monotonic_ms() >= deadline)
		return error_set(
			e, ERR_UNAVAILABLE, "another process is asking the CA for it just now");
	(void)patience_look();
	nanosleep(&pause, NULL);
	return ERR_OK;
}

/* Leases the request that there is, or a new one. *settled: none is needed any more. */
static enum err take_request(
	struct order *o, const struct store_asking *asking, bool *settled, struct error *e)
{
	enum request_lease how = REQUEST_BUSY;
	bool added = false;
	enum err err = ERR_OK;

	while (!err && !added && (how == REQUEST_BUSY || how == REQUEST_NONE)) {
		err = store_request_lease(o->p->store, asking, &how, &o->request, e);
		if (!err && how == REQUEST_NONE)
			err = add_request(o, asking, &added, e);
		else if (!err && how == REQUEST_BUSY)
			err = pause_until(o->deadline, e);
	}
	if (err || added)
		return err;
	*settled = how == REQUEST_SETTLED;
	if (how == REQUEST_MISREAD)
		return error_set(e, ERR_GARBLED,
			"the CA's answers to this request were not understood; " UNTIL_CHANGED);
	return how == REQUEST_EARLY ? too_early(o->request.next_at, e) : ERR_OK;
}

/* The order gave no certificate. If the store fails as well, the lease expires on its own. */
static void let_go(const struct order *o, const char *handle, const struct error *why)
{
	const struct store_pending pending = {
		.handle = handle,
		.next_at = why->retry_after ? clock_now() + why->retry_after : 0,
	};
	const struct store_request *request = &o->request;
	struct store *store = o->p->store;
	struct error e;
	enum err err;

	if (request->id == 0)
		return;
	if (why->code == ERR_REFUSED)
		err = store_request_drop(store, request, &e);
	else
		err = store_request_release(
			store, request, why->code == ERR_PENDING ? &pending : NULL, &e);
	if (err)
		log_error("a request to the CA: %s", e.text);
}

/* The answer was not understood. The request is tried again, but only so often. */
static void count_misread(const struct order *o, const struct ca_answer *answer, struct error *e)
{
	const struct store_misread misread = {
		.handle = answer->handle,
		.inputs = o->p->fingerprint,
		.count = answer->once ? STORE_MISREAD_MAX : o->request.misread + 1,
	};
	struct error failure;

	if (store_request_misread(o->p->store, &o->request, &misread, &failure))
		log_error("a request to the CA: %s", failure.text);
	else if (misread.count < STORE_MISREAD_MAX)
		e->code = ERR_UNAVAILABLE;
	else
		error_set(e, ERR_GARBLED, "%s; " UNTIL_CHANGED, e->text);
}

/* --- with or without a stored request */

static enum err place_order(struct order *o, bool *won, struct credential *out, struct error *e)
{
	struct ca_answer answer = {.handle = ""};
	enum err err = o->key ? ERR_OK : key_import(&o->request.key, &o->key, e);

	blob_free(&o->request.key);
	if (!err)
		err = ask(o, &answer, e);
	if (!err)
		err = keep(o, &answer.chain, won, out, e);
	if (err == ERR_GARBLED && o->request.id)
		count_misread(o, &answer, e);
	else if (err)
		let_go(o, answer.handle, e);
	chain_free(&answer.chain);
	return err ? e->code : ERR_OK;
}

static enum err order_by_request(
	struct order *o, bool *won, struct credential *out, struct error *e)
{
	char terms[DIGEST_HEX_SIZE] = "";
	const struct store_asking asking = {
		.owner = o->owner,
		.terms = terms,
		.replaces = o->place->replaces,
		.lease = ca_config(o->ca)->timeout + LEASE_MARGIN,
		.inputs = o->p->fingerprint,
		.now = o->p->now,
		.run = o->p->now ? o->p->run : NULL,
	};
	bool settled = false;
	enum err err = find_terms(o, terms, e);

	if (!err)
		err = take_request(o, &asking, &settled, e);
	if (!err && settled)
		*won = false;
	else if (!err)
		err = place_order(o, won, out, e);
	return err;
}

enum err issue_credential(struct provider *p, const struct credential_owner *owner,
	const struct subject *subject, const struct store_place *place, bool *won,
	struct credential *out, struct error *e)
{
	struct order order = {
		.p = p,
		.owner = owner,
		.subject = subject,
		.place = place,
		.ca = p->ca[owner->usage],
		.deadline = ca_deadline(p->ca[owner->usage]),
	};
	enum err err;

	if (ca_wants_request(order.ca)) {
		err = order_by_request(&order, won, out, e);
	} else {
		err = new_key(p, p->config->certificates.key[owner->usage], &order.key, e);
		if (!err)
			err = place_order(&order, won, out, e);
	}
	store_request_fini(&order.request);
	key_free(order.key);
	return err;
}

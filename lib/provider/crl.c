/*
 * The local CA's revocation list. It lies in the store, so that all processes give out the same one
 * and a request for it costs no signature.
 */

#include "provider/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "provider/local_ca.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"

struct authority {
	struct ca *ca;
	struct certificate_info info;
};

/* Returns true if the list is this CA's, has all that is revoked, and is valid long enough. */
static bool is_fresh(const struct authority *ca, const struct store_crl *crl, int64_t revoked)
{
	int64_t now = clock_now(), left = crl->next_update - now,
		validity = ca_config(ca->ca)->crl_validity;

	return strcmp(crl->authority, ca->info.sha256) == 0 && crl->covers == revoked &&
	       crl->this_update <= now && left > validity / 2 && left <= validity;
}

static enum err entries_of(
	const struct store_revoked *revoked, size_t count, struct crl_entry **out, struct error *e)
{
	struct crl_entry *entries = calloc(count + 1, sizeof(*entries));

	if (!entries)
		return error_memory(e);
	for (size_t i = 0; i < count; i++) {
		memcpy(entries[i].serial, revoked[i].serial, sizeof(entries[i].serial));
		entries[i].revoked_at = revoked[i].revoked_at;
		entries[i].reason = revoked[i].reason;
	}
	*out = entries;
	return ERR_OK;
}

static enum err sign(const struct authority *ca, const struct store_revoked *revoked, size_t count,
	struct store_crl *crl, struct error *e)
{
	struct crl_entry *entries = NULL;
	struct crl_order order = {
		.number = crl->number,
		.this_update = crl->this_update,
		.next_update = crl->next_update,
		.count = count,
	};
	enum err err = entries_of(revoked, count, &entries, e);

	order.entry = entries;
	if (!err)
		err = ca_crl(ca->ca, &order, &crl->list, e);
	free(entries);
	return err;
}

/* If several processes make one at the same time, the highest number wins. */
static enum err publish_next(struct provider *p, const struct authority *ca, struct error *e)
{
	int64_t now = clock_now();
	struct store_crl crl = {
		.this_update = now,
		.next_update = now + ca_config(ca->ca)->crl_validity,
	};
	struct store_revoked *revoked = NULL;
	size_t count = 0;
	enum err err = store_crl_begin(
		p->store, ca->info.subject, &crl.number, &crl.covers, &revoked, &count, e);

	memcpy(crl.authority, ca->info.sha256, sizeof(crl.authority));
	if (!err)
		err = sign(ca, revoked, count, &crl, e);
	if (!err)
		err = store_crl_publish(p->store, ca->info.subject, &crl, e);
	blob_free(&crl.list);
	free(revoked);
	return err;
}

/* The head of a fresh list; if there is none, one is made. */
static enum err refresh(struct provider *p, enum usage usage, struct authority *ca,
	struct store_crl *head, struct error *e)
{
	int64_t revoked = 0;
	enum err err;

	ca->ca = local_ca_find(p, usage);
	if (!ca->ca)
		return error_set(
			e, ERR_NOT_FOUND, "an external CA publishes its revocation list itself");
	err = local_ca_info(ca->ca, &ca->info, e);
	if (err)
		return err;
	err = store_crl_head(p->store, ca->info.subject, head, &revoked, e);
	if (err != ERR_NOT_FOUND && (err || is_fresh(ca, head, revoked)))
		return err;
	err = publish_next(p, ca, e);
	return err ? err : store_crl_head(p->store, ca->info.subject, head, &revoked, e);
}

static void hand_out(const struct store_crl *crl, struct provider_crl *out)
{
	*out = (struct provider_crl){
		.der = crl->list,
		.size = crl->size,
		.number = crl->number,
		.this_update = crl->this_update,
		.next_update = crl->next_update,
	};
	memcpy(out->authority, crl->authority, sizeof(out->authority));
}

enum err provider_crl_head(
	struct provider *p, enum usage usage, struct provider_crl *out, struct error *e)
{
	struct authority ca = {.ca = NULL};
	struct store_crl crl = {.number = 0};
	enum err err = refresh(p, usage, &ca, &crl, e);

	if (!err)
		hand_out(&crl, out);
	return err;
}

enum err provider_crl(
	struct provider *p, enum usage usage, struct provider_crl *out, struct error *e)
{
	struct authority ca = {.ca = NULL};
	struct store_crl crl = {.number = 0};
	int64_t revoked = 0;
	enum err err = refresh(p, usage, &ca, &crl, e);

	if (!err)
		err = store_crl_current(p->store, ca.info.subject, &crl, &revoked, e);
	if (!err)
		hand_out(&crl, out);
	return err;
}

enum err provider_crl_of(
	const struct config *config, enum usage usage, struct provider_crl *out, struct error *e)
{
	struct provider *p = NULL;
	enum err err = provider_open_ca(config, &p, e);

	if (!err)
		err = provider_crl(p, usage, out, e);
	provider_close(p);
	return err;
}

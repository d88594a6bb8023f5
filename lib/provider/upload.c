/* Packs the credentials of a device and uploads them to every gateway. Callers record that. */

#include "provider/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "escrow/payload.h"
#include "pki/pkcs12.h"
#include "provider/backoff.h"
#include "provider/credential_set.h"
#include "provider/provider_parts.h"

#define PAYLOAD_MAX (16 * 1024 * 1024)
#define CONTENTS_MAX (64 * 1024)

/* The set as PKCS#12 files, in the order of the payload. */
struct packed {
	struct blob current[USAGE_COUNT];
	struct blob *archived;
	size_t archived_count;
};

static void packed_fini(struct packed *packed)
{
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		blob_free(&packed->current[usage]);
	for (size_t i = 0; i < packed->archived_count; i++)
		blob_free(&packed->archived[i]);
	free(packed->archived);
}

static enum err pack_one(
	const struct provider *p, const struct credential *c, struct blob *out, struct error *e)
{
	struct buf name = BUF_INIT(512);
	struct chain chain = {0};
	struct pkcs12_entry entry = {.pkcs8 = &c->key, .chain = &chain};
	const struct pkcs12_options options = {
		.profile = p->config->escrow.pkcs12,
		.iterations = p->config->escrow.pkcs12_iterations,
		.password = (const char *)p->pkcs12_password.data,
	};
	enum err err = chain_split(&c->chain, &chain, e);

	buf_printf(&name, "%s (%s)", c->mail, usage_names[c->usage]);
	if (!err)
		err = buf_check(&name, e);
	entry.friendly_name = name.data;
	if (!err)
		err = pkcs12_encode(&entry, 1, &options, out, e);
	if (err)
		error_context(e, "PKCS#12 of certificate %s", c->serial);
	chain_free(&chain);
	buf_free(&name);
	return err;
}

static enum err pack(const struct provider *p, const struct credential_set *set, struct packed *out,
	struct error *e)
{
	enum err err = ERR_OK;

	for (int usage = 0; !err && usage < USAGE_COUNT; usage++)
		if (set->present[usage])
			err = pack_one(p, &set->current[usage], &out->current[usage], e);
	if (err || set->archived_count == 0)
		return err;
	out->archived = calloc(set->archived_count, sizeof(*out->archived));
	if (!out->archived)
		return error_memory(e);
	out->archived_count = set->archived_count;
	for (size_t i = 0; !err && i < set->archived_count; i++)
		err = pack_one(p, &set->archived[i], &out->archived[i], e);
	return err;
}

static enum err make_payload(const struct provider *p, const struct store_pair *pair,
	const struct credential_set *set, struct buf *out, struct error *e)
{
	struct packed packed = {0};
	enum err err = pack(p, set, &packed, e);
	const struct escrow_upload upload = {
		.device_uuid = pair->device_uuid,
		.user_uuid = pair->user_uuid,
		.signing = &packed.current[USAGE_SIGNING],
		.signing_count = set->present[USAGE_SIGNING],
		.encryption = &packed.current[USAGE_ENCRYPTION],
		.encryption_count = set->present[USAGE_ENCRYPTION],
		.archived = packed.archived,
		.archived_count = packed.archived_count,
	};

	if (!err)
		err = escrow_payload(&upload, out, e);
	packed_fini(&packed);
	return err;
}

/* "signing:SERIAL,encryption:SERIAL,archived:SERIAL": what an upload had in it. */
static void print_contents(const struct credential_set *set, struct buf *out)
{
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (set->present[usage])
			buf_printf(out, "%s%s:%s", out->len ? "," : "", usage_names[usage],
				set->current[usage].serial);
	for (size_t i = 0; i < set->archived_count; i++)
		buf_printf(out, ",archived:%s", set->archived[i].serial);
}

/* Prepares a row for each gateway, with nothing sent yet. */
static enum err prepare(const struct provider *p, const struct store_pair *pair,
	const struct credential_set *set, struct uploads *out, struct error *e)
{
	size_t count = escrow_count(p->escrow);

	out->pair = *pair;
	out->row = calloc(count, sizeof(*out->row));
	out->why = calloc(count, sizeof(*out->why));
	if (!out->row || !out->why)
		return error_memory(e);
	buf_init(&out->contents, CONTENTS_MAX);
	print_contents(set, &out->contents);
	for (size_t i = 0; i < count; i++)
		out->row[i] = (struct store_upload){
			.device_uuid = out->pair.device_uuid,
			.user_uuid = out->pair.user_uuid,
			.gateway = escrow_url(p->escrow, i),
			.contents = out->contents.data,
			.newest = set->newest,
			.left_out = set->left_out,
			.inputs = p->fingerprint,
		};
	return buf_check(&out->contents, e);
}

void uploads_fini(struct uploads *uploads)
{
	buf_free(&uploads->contents);
	free(uploads->row);
	free(uploads->why);
	*uploads = (struct uploads){.count = 0};
}

/* One upload, unless the gateway's breaker is open. */
static enum err try_gateway(struct provider *p, const char *url, size_t gateway,
	const struct buf *payload, int64_t deadline, struct error *e)
{
	struct breaker *breaker = admission_gateway_breaker(p->pass, gateway);
	int64_t began = clock_monotonic_ms();
	enum err err = breaker_ask(breaker, url, began, e);

	if (err)
		return err;
	admission_wait_begins(p->pass);
	err = escrow_send(p->escrow, gateway, payload, deadline, e);
	admission_wait_ends(p->pass, began);
	breaker_note(breaker, url, err, began, clock_monotonic_ms());
	counters_upload(p->counters, url, err);
	return err;
}

/* Uploads to the next gateway and fills in its row. */
static enum err send_next(struct provider *p, const struct buf *payload, int64_t deadline,
	int64_t tries, struct uploads *out, struct error *e)
{
	struct store_upload *row = &out->row[out->count];
	struct error *why = &out->why[out->count];
	enum err err = try_gateway(p, row->gateway, out->count, payload, deadline, why);
	bool again = err && error_meaning(err)->retry;

	row->state = !err ? UPLOAD_DELIVERED : again ? UPLOAD_PENDING : UPLOAD_FAILED;
	row->cause = err ? why->text : "";
	row->next_at = clock_now() + backoff_seconds(tries, err ? why->retry_after : 0);
	out->count++;
	if (err)
		*e = *why;
	return err;
}

/* The remaining gateways share the remaining time, so that one that hangs costs no other its part.
 */
static int64_t part_of_time(int64_t deadline, size_t gateways)
{
	int64_t now = clock_monotonic_ms();

	return now + (deadline - now) / (int64_t)gateways;
}

static enum err send_all(struct provider *p, const struct buf *payload, int64_t tries,
	struct step_times *steps, struct uploads *out, struct error *e)
{
	int64_t deadline = clock_monotonic_ms() + p->config->escrow.timeout * 1000;
	size_t count = escrow_count(p->escrow);
	enum err worst = ERR_OK;

	while (out->count < count) {
		struct error why;
		int64_t until = part_of_time(deadline, count - out->count);
		enum err one = send_next(p, payload, until, tries, out, &why);

		step_times_done(steps, STEP_UPLOAD, one ? error_meaning(one)->label : NULL);
		if (one && (!worst || error_meaning(one)->retry)) {
			worst = one;
			*e = why;
		}
	}
	return worst;
}

enum err upload_set(struct provider *p, const struct store_pair *pair,
	const struct credential_set *set, int64_t tries, struct step_times *steps,
	struct uploads *out, struct error *e)
{
	struct buf payload = BUF_INIT(PAYLOAD_MAX);
	enum err err = prepare(p, pair, set, out, e);

	if (!err)
		err = make_payload(p, pair, set, &payload, e);
	step_times_done(steps, STEP_PACK, err ? "failed" : NULL);
	if (!err)
		err = send_all(p, &payload, tries, steps, out, e);
	buf_free(&payload);
	return err;
}

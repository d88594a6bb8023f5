/*
 * Key recovery: old mail of a user who has lost all devices, or has left, stays readable for
 * authorized readers.
 */

#include "provider/recover.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "provider/pkcs12_password.h"

#define OUTPUT_MODE 0600
#define FRIENDLY_NAME_MAX 512
#define DETAIL_MAX (64 * 1024)
#define DATE_LEN 10 /* of an RFC 3339 time */

/* The file may be left anywhere, and its password may be a weak one. */
#define MODERN_ITERATIONS 100000
#define LEGACY_ITERATIONS 2048

static enum err read_password(const struct config *config, const struct recover_options *options,
	struct blob *out, struct error *e)
{
	const char *file = options->password_file ? options->password_file
						  : config->escrow.pkcs12_password_file;

	if (!file)
		return error_set(e, ERR_USAGE,
			"a recovered key is never written without a password: name its file with "
			"--password-file, or as [escrow] pkcs12-password-file in %s",
			config->path);
	return pkcs12_password_read(file, out, e);
}

/* --- nothing to recover: why? */

static enum err count_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	size_t *rows = ctx;

	(void)columns;
	(void)count;
	(void)e;
	++*rows;
	return ERR_OK;
}

static enum err check_user(struct store *store, const char *user_uuid, struct error *e)
{
	const struct store_filter filter = {.user = user_uuid};
	size_t rows = 0;
	enum err err = store_list(store, STORE_USERS, &filter, count_row, &rows, e);

	if (err || rows)
		return err;
	return error_set(e, ERR_NOT_FOUND,
		"user %s is unknown; certprov list users shows the known ones", user_uuid);
}

static enum err check_usage(struct store *store, const char *serial, struct error *e)
{
	const struct store_selection selection = {
		.serial = serial, .user_uuid = "", .device_uuid = ""};
	struct credential *found = NULL;
	size_t count = 0;
	enum err err = store_credential_find(store, &selection, &found, &count, e);

	for (size_t i = 0; !err && i < count; i++)
		if (found[i].usage == USAGE_SIGNING)
			err = error_set(e, ERR_FORBIDDEN,
				"%s is a signing certificate: signing keys are never recovered",
				serial);
	credentials_free(found, count);
	return err;
}

static enum err explain_none(
	struct store *store, const struct recover_options *options, struct error *e)
{
	enum err err = check_user(store, options->user_uuid, e);

	if (!err && *options->serial)
		err = check_usage(store, options->serial, e);
	if (err)
		return err;
	if (*options->serial)
		return error_set(e, ERR_NOT_FOUND,
			"user %s has no encryption certificate with the serial number %s; certprov "
			"list certificates --user %s shows what there is",
			options->user_uuid, options->serial, options->user_uuid);
	return error_set(
		e, ERR_NOT_FOUND, "user %s has no encryption certificates", options->user_uuid);
}

/* --- the file */

struct packing {
	struct chain chain;
	struct buf friendly_name; /* "MAIL (encryption) DATE SERIAL": no two are the same */
};

static enum err prepare(const struct credential *c, struct packing *packing,
	struct pkcs12_entry *entry, struct error *e)
{
	char not_after[CLOCK_RFC3339_SIZE];
	enum err err = chain_split(&c->chain, &packing->chain, e);

	clock_rfc3339(c->not_after, not_after);
	buf_init(&packing->friendly_name, FRIENDLY_NAME_MAX);
	buf_printf(&packing->friendly_name, "%s (%s) %.*s %s", c->mail, usage_names[c->usage],
		DATE_LEN, not_after, c->serial);
	if (!err)
		err = buf_check(&packing->friendly_name, e);
	*entry = (struct pkcs12_entry){&c->key, &packing->chain, packing->friendly_name.data};
	return err ? error_context(e, "certificate %s", c->serial) : ERR_OK;
}

/* The number in [escrow], if it is for this form and larger. */
static unsigned iterations(const struct config *config, enum pkcs12_profile form)
{
	unsigned least = form == PKCS12_MODERN ? MODERN_ITERATIONS : LEGACY_ITERATIONS;
	unsigned own = config->escrow.pkcs12 == form ? config->escrow.pkcs12_iterations : 0;

	return own > least ? own : least;
}

static enum err pack(const struct config *config, enum pkcs12_profile form, const char *password,
	const struct credential *credentials, size_t count, struct blob *out, struct error *e)
{
	const struct pkcs12_options options = {
		.profile = form,
		.iterations = iterations(config, form),
		.password = password,
	};
	struct packing *packings = calloc(count, sizeof(*packings));
	struct pkcs12_entry *entries = calloc(count, sizeof(*entries));
	enum err err = packings && entries ? ERR_OK : error_memory(e);

	for (size_t i = 0; !err && i < count; i++)
		err = prepare(&credentials[i], &packings[i], &entries[i], e);
	if (!err)
		err = pkcs12_encode(entries, count, &options, out, e);
	for (size_t i = 0; packings && i < count; i++) {
		chain_free(&packings[i].chain);
		buf_free(&packings[i].friendly_name);
	}
	free(entries);
	free(packings);
	return err;
}

/* --- all of it */

/* Records the recovered keys and the reason; or the failure, unless it is NULL. */
static enum err record(struct store *store, enum audit_action action,
	const struct recover_options *options, const struct credential *credentials, size_t count,
	const struct error *failure, struct error *e)
{
	struct buf detail = BUF_INIT(DETAIL_MAX);
	struct store_audit entry = {.action = action, .user_uuid = options->user_uuid};
	enum err err;

	buf_printf(&detail, "to %s because \"%s\": encryption certificates", options->output,
		options->reason);
	for (size_t i = 0; i < count; i++)
		buf_printf(&detail, "%s %s", i ? "," : "", credentials[i].serial);
	if (failure)
		buf_printf(&detail, ": %s", failure->text);
	err = buf_check(&detail, e);
	entry.detail = detail.data;
	if (!err)
		err = store_audit_add(store, &entry, e);
	buf_free(&detail);
	return err;
}

/* The trail already has the request, so an unrecorded failure hides nothing. */
static void record_failure(struct store *store, const struct recover_options *options,
	const struct credential *credentials, size_t count, const struct error *failure)
{
	struct error e;

	if (record(store, AUDIT_RECOVERY_FAILED, options, credentials, count, failure, &e))
		log_warning("the audit trail has the recovery's request, and not its failure: %s",
			e.text);
}

/* There is no file unless the trail has both the request and its success. */
static enum err hand_out(struct store *store, const struct recover_options *options,
	const struct credential *credentials, size_t count, const struct blob *file,
	struct error *e)
{
	enum err err =
		record(store, AUDIT_RECOVERY_REQUESTED, options, credentials, count, NULL, e);

	if (err)
		return err;
	err = file_create(options->output, OUTPUT_MODE, file->data, file->len, e);
	if (err) {
		record_failure(store, options, credentials, count, e);
		return err;
	}
	err = record(store, AUDIT_RECOVERED, options, credentials, count, NULL, e);
	if (err)
		unlink(options->output);
	return err;
}

static enum err recover(struct store *store, const struct config *config, const char *password,
	const struct recover_options *options, struct error *e)
{
	struct credential *found = NULL;
	struct blob file = {NULL, 0};
	size_t count = 0;
	enum err err = store_credential_history(
		store, options->user_uuid, options->serial, &found, &count, e);

	if (!err && count == 0)
		err = explain_none(store, options, e);
	if (!err)
		err = pack(config, options->form, password, found, count, &file, e);
	for (size_t i = 0; i < count; i++)
		blob_free(&found[i].key);
	if (!err)
		err = hand_out(store, options, found, count, &file, e);
	for (size_t i = 0; !err && i < count; i++)
		options->report(options->ctx, &found[i]);
	blob_free(&file);
	credentials_free(found, count);
	return err;
}

enum err provider_recover(
	const struct config *config, const struct recover_options *options, struct error *e)
{
	struct blob password = {NULL, 0};
	struct store *store = NULL;
	enum err err = read_password(config, options, &password, e);

	if (!err)
		err = store_open(config, &store, e);
	if (!err)
		err = recover(store, config, (const char *)password.data, options, e);
	store_close(store);
	blob_free(&password);
	return err;
}

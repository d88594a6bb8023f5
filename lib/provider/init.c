/* First set-up of store and local CA. Existing files are kept. */

#include "provider/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/ca.h"
#include "ca/local.h"
#include "pki/token.h"
#include "store/store.h"

/*
 * A part of the set-up is two files: kept if both exist, made if neither does. If only one exists,
 * its maker refuses to overwrite it.
 */
static bool is_there(const char *one, const char *other)
{
	return access(one, F_OK) == 0 && access(other, F_OK) == 0;
}

static void say(provider_report *report, void *ctx, const char *what, enum err err,
	const char *done, const char *one, const char *other, const struct error *e)
{
	char text[ERROR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s %s and %s", done, one, other);
	report(ctx, what, err, false, err ? e->text : text);
}

/* A CA of one usage has that in its name: no two may have the same (RFC 5280, 4.1.2.4). */
static enum err make_ca(const struct config_ca *ca, enum usage usage,
	const struct provider_init *what, struct error *e)
{
	bool own = strcmp(ca->section, "ca") != 0;
	char *name = NULL;
	enum err err;

	if (asprintf(&name, "%s%s%s", what->subject, own ? ",OU=" : "",
		    own ? usage_names[usage] : "") < 0)
		return error_memory(e);
	err = ca_local_init(ca, name, what->key, e);
	free(name);
	return err;
}

/* A key in a token exists only if the token says so, and if it is the certificate's. */
static enum err is_kept(const struct config_ca *ca, bool *kept, struct error *e)
{
	if (!token_is_url(ca->key)) {
		*kept = is_there(ca->certificate, ca->key);
		return ERR_OK;
	}
	*kept = access(ca->certificate, F_OK) == 0;
	return *kept ? ca_local_check_key(ca, e) : ERR_OK;
}

static enum err init_ca(const struct config_ca *ca, enum usage usage,
	const struct provider_init *what, provider_report *report, void *ctx, struct error *e)
{
	bool kept = false;
	enum err err = is_kept(ca, &kept, e);

	if (!err && !kept)
		err = make_ca(ca, usage, what, e);
	say(report, ctx, "CA", err, kept ? "kept" : "made", ca->certificate,
		token_is_url(ca->key) ? "its key in the token" : ca->key, e);
	return err;
}

/* The key of --key must be the one in the configuration. */
static enum err check_url(const struct config *config, const char *url, struct error *e)
{
	struct token *wanted = NULL, *token = NULL;
	enum err err = token_new(url, &wanted, e);
	bool found = false;

	if (err)
		return error_context(e, "--key");
	for (int usage = 0; usage < USAGE_COUNT && !found && !err; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);

		if (ca->type != CA_LOCAL || !token_is_url(ca->key))
			continue;
		err = token_new(ca->key, &token, e);
		if (err)
			err = config_error(config, ca->section, "key", e, "%s", e->text);
		else
			found = token_same(token, wanted);
		token_free(token);
		token = NULL;
	}
	if (!err && !found)
		err = error_set(e, ERR_CONFIG,
			"--key names the %s, but [ca] key in %s does not: set it there to the same "
			"URL",
			token_name(wanted), config->path);
	token_free(wanted);
	return err;
}

enum err provider_init(const struct config *config, const struct provider_init *what,
	provider_report *report, void *ctx, struct error *e)
{
	bool kept = is_there(store_describe(config), config->store.key_file);
	enum err err = what->key_url ? check_url(config, what->key_url, e) : ERR_OK;

	for (int usage = 0; usage < USAGE_COUNT && !err; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);

		if (ca->type == CA_LOCAL && (usage == 0 || ca != config_ca(config, USAGE_SIGNING)))
			err = init_ca(ca, (enum usage)usage, what, report, ctx, e);
	}
	if (err)
		return err;
	err = kept ? ERR_OK : store_init(config, e);
	say(report, ctx, "store", err, kept ? "kept" : "made", store_describe(config),
		config->store.key_file, e);
	return err;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/ca.h"
#include "provider/provider.h"

/*
 * One part of the set-up, which is two files: kept when both are there, made
 * when neither is. With one alone its maker refuses, as it never overwrites.
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
static enum err make_ca(const struct config_ca *ca, enum usage usage, const char *subject,
	enum key_type key, struct error *e)
{
	bool own = strcmp(ca->section, "ca") != 0;
	char *name = NULL;
	enum err err;

	if (asprintf(&name, "%s%s%s", subject, own ? ",OU=" : "", own ? usage_names[usage] : "") <
		0)
		return error_memory(e);
	err = ca_local_init(ca, name, key, e);
	free(name);
	return err;
}

static enum err init_ca(const struct config_ca *ca, enum usage usage, const char *subject,
	enum key_type key, provider_report *report, void *ctx, struct error *e)
{
	bool kept = is_there(ca->certificate, ca->key);
	enum err err = kept ? ERR_OK : make_ca(ca, usage, subject, key, e);

	say(report, ctx, "CA", err, kept ? "kept" : "made", ca->certificate, ca->key, e);
	return err;
}

enum err provider_init(const struct config *config, const char *subject, enum key_type key,
	provider_report *report, void *ctx, struct error *e)
{
	bool kept = is_there(config->store.sqlite, config->store.key_file);
	enum err err = ERR_OK;

	for (int usage = 0; usage < USAGE_COUNT && !err; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);

		if (ca->type == CA_LOCAL && (usage == 0 || ca != config_ca(config, USAGE_SIGNING)))
			err = init_ca(ca, (enum usage)usage, subject, key, report, ctx, e);
	}
	if (err)
		return err;
	err = kept ? ERR_OK : store_init(config, e);
	say(report, ctx, "store", err, kept ? "kept" : "made", config->store.sqlite,
		config->store.key_file, e);
	return err;
}

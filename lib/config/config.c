/* Loads the configuration file: what is read, completed and checked, in that order. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/rules.h"
#include "config/values.h"

#define STORE_AND_KEYS 60 /* seconds */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static struct config *config_new(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->path = strdup(path);
	config->lines = calloc(config_key_count, sizeof(*config->lines));
	if (config->path && config->lines)
		return config;
	config_free(config);
	return NULL;
}

static enum err set_defaults(struct config *config, struct error *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < config_key_count && !err; i++) {
		const struct config_key *k = &config_keys[i];

		if (k->fallback && !k->types && !*config_key_line(config, k))
			err = k->set(config, k, k->fallback, e);
	}
	if (!err)
		err = config_ca_complete(config, e);
	if (!config->escrow.pkcs12_iterations)
		config->escrow.pkcs12_iterations =
			config->escrow.pkcs12 == PKCS12_LEGACY ? 2048 : 10000;
	return err;
}

static enum err read_all(
	struct config *config, const char *text, struct config_faults *faults, struct error *e)
{
	enum err err;

	faults->wrong = calloc(config_key_count, sizeof(*faults->wrong));
	if (!faults->wrong)
		return error_memory(e);
	err = config_read_lines(config, text, faults, e);
	if (!err)
		err = set_defaults(config, e);
	if (!err)
		err = config_rules_check(config, faults, e);
	if (!err)
		err = config_ca_check(config, faults, e);
	if (!err && faults->count > 0)
		err = error_set(e, ERR_CONFIG, "%s: %u errors", config->path, faults->count);
	free(faults->wrong);
	return err;
}

static enum err parse(const char *path, const char *text, size_t len, struct config_faults faults,
	struct config **out, struct error *e)
{
	struct config *config;
	enum err err;

	if (!utf8_is_valid(text, len) || text[len])
		return error_set(e, ERR_CONFIG, "%s: not UTF-8 text", path);
	config = config_new(path);
	if (!config)
		return error_memory(e);
	if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		text += strlen(BYTE_ORDER_MARK);
	err = read_all(config, text, &faults, e);
	if (err)
		config_free(config);
	else
		*out = config;
	return err;
}

enum err config_parse(
	const char *path, const char *text, size_t len, struct config **out, struct error *e)
{
	return parse(path, text, len, (struct config_faults){.fault = NULL}, out, e);
}

static enum err load(
	const char *path, struct config_faults faults, struct config **out, struct error *e)
{
	struct blob text = {NULL, 0};
	enum err err = file_read(path, &text, e);
	char *absolute;

	if (err)
		return err;
	absolute = realpath(path, NULL);
	if (absolute)
		err = parse(absolute, (const char *)text.data, text.len, faults, out, e);
	else
		err = error_errno(e, ERR_CONFIG, "%s", path);
	free(absolute);
	blob_free(&text);
	return err;
}

enum err config_load(const char *path, struct config **out, struct error *e)
{
	return load(path, (struct config_faults){.fault = NULL}, out, e);
}

enum err config_test(
	const char *path, config_fault *fault, void *ctx, struct config **out, struct error *e)
{
	return load(path, (struct config_faults){.fault = fault, .ctx = ctx}, out, e);
}

const char *config_path(const char *path)
{
	const char *from_environment = getenv("CERTPROV_CONFIG");

	if (path)
		return path;
	return from_environment && *from_environment ? from_environment : CERTPROV_CONFIG_FILE;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config_key_count; i++) {
		void *value = NULL;

		if (!config_keys[i].allocated)
			continue;
		memcpy(&value, (char *)config + config_keys[i].offset, sizeof(value));
		free(value);
	}
	free(config->lines);
	free(config->path);
	free(config);
}

int64_t config_longest(const struct config *config)
{
	/* UEM is asked twice for one event, and both answers are waited for together. */
	int64_t seconds = config->escrow.timeout + (config->uem.url ? 2 * config->uem.timeout : 0) +
			  (config->ldap.url ? config->ldap.timeout : 0);

	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (config->certificates.usages[usage])
			seconds += config_ca(config, (enum usage)usage)->timeout;
	return seconds;
}

int64_t config_patience(const struct config *config)
{
	return config_longest(config) + config->escrow.timeout + STORE_AND_KEYS;
}

const char *config_next_file(const struct config *config, const char *section, size_t *at)
{
	while (*at < config_key_count) {
		const struct config_key *k = &config_keys[(*at)++];
		const char *path = k->allocated ? config_key_text(config, k) : NULL;

		if (strcmp(k->section, section) != 0 ||
			(k->set != config_set_path && k->set != config_set_path_or_token))
			continue;
		if (path && !config_is_token(path))
			return path;
	}
	return NULL;
}

enum err config_error(const struct config *config, const char *section, const char *key,
	struct error *e, const char *fmt, ...)
{
	const struct config_key *k = config_key_find(section, key);
	unsigned line = k ? *config_key_line(config, k) : 0;
	char text[ERROR_TEXT_MAX / 2], where[16] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (k && k->types && !line) { /* inherited? */
		section = "ca";
		line = *config_key_line(config, config_key_find(section, key));
	}
	if (line)
		snprintf(where, sizeof(where), ":%u", line);
	return error_field(
		e, ERR_CONFIG, key, "%s%s: [%s] %s: %s", config->path, where, section, key, text);
}

/*
 * The CAs' sections: what [ca signing] and [ca encryption] inherit from [ca], which keys each type
 * needs, and a CA's terms.
 */
#include "config/ca.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/faults.h"
#include "config/keys.h"
#include "config/rules.h"

static const char *const sections[USAGE_COUNT] = {
	[USAGE_SIGNING] = "ca signing",
	[USAGE_ENCRYPTION] = "ca encryption",
};

/* The next key of the section; NULL after the last one. The table keeps a section together. */
static const struct config_key *next_of(const struct config_key *k)
{
	const struct config_key *next = k + 1;

	return next < config_keys + config_key_count && strcmp(next->section, k->section) == 0
		       ? next
		       : NULL;
}

static bool is_used(const struct config *config, const char *section)
{
	for (const struct config_key *k = config_key_find(section, NULL); k; k = next_of(k))
		if (*config_key_line(config, k))
			return true;
	return false;
}

const struct config_ca *config_ca(const struct config *config, enum usage usage)
{
	return config->ca_of[usage] ? config->ca_of[usage] : &config->ca;
}

/* --- terms */

static void put_value(const struct config_ca *ca, const struct config_key *k, struct buf *out)
{
	const char *at = (const char *)ca + (k->offset - offsetof(struct config, ca));
	const char *text = NULL;
	unsigned kind = 0;
	int64_t number = 0;

	if (k->allocated) {
		memcpy(&text, at, sizeof(text));
		buf_puts(out, text_or_empty(text));
	} else if (k->names) {
		memcpy(&kind, at, sizeof(kind));
		buf_puts(out, k->names[kind]);
	} else {
		memcpy(&number, at, sizeof(number));
		buf_printf(out, "%lld", (long long)number);
	}
	buf_putc(out, '\n');
}

/* Stored requests that wait for approval keep a digest of these, so the order of the table must
 * stay as it is. */
void config_ca_terms(const struct config_ca *ca, struct buf *out)
{
	for (const struct config_key *k = config_key_find("ca", NULL); k; k = next_of(k))
		if (k->term == CA_TERM_YES)
			put_value(ca, k, out);
}

/* --- values that are not set */

static enum err copy_value(struct config *config, const struct config_key *from,
	const struct config_key *to, struct error *e)
{
	const char *base = (const char *)config + from->offset;
	char *text = NULL;

	if (from->allocated && config_key_text(config, from)) {
		text = strdup(config_key_text(config, from));
		if (!text)
			return error_memory(e);
	}
	memcpy((char *)config + to->offset, from->allocated ? (const char *)&text : base, to->size);
	return ERR_OK;
}

/* same: [ca] is of the same type, or this is [ca]. */
static enum err complete_key(struct config *config, const struct config_ca *ca,
	const struct config_key *k, bool same, struct error *e)
{
	const struct config_key *general = config_key_find("ca", k->name);

	if (*config_key_line(config, k) || !(k->types & 1U << ca->type))
		return ERR_OK;
	if (same && general != k)
		return copy_value(config, general, k, e);
	return k->fallback ? k->set(config, k, k->fallback, e) : ERR_OK;
}

static enum err complete(
	struct config *config, struct config_ca *ca, const char *section, struct error *e)
{
	const struct config_key *type = config_key_find(section, "type");
	enum err err = ERR_OK;
	bool same;

	ca->section = section;
	if (!*config_key_line(config, type))
		ca->type = config->ca.type;
	same = ca->type == config->ca.type;
	for (const struct config_key *k = next_of(type); k && !err; k = next_of(k))
		err = complete_key(config, ca, k, same, e);
	return err;
}

static const struct config_ca *choose(const struct config *config, int usage)
{
	const struct config_ca *own = &config->ca_for[usage];

	/* Without this usage, and without [ca], the other usage's CA is taken. */
	if (!own->section && !config->certificates.usages[usage] && !is_used(config, "ca"))
		own = &config->ca_for[(usage + 1) % USAGE_COUNT];
	return own->section ? own : &config->ca;
}

enum err config_ca_complete(struct config *config, struct error *e)
{
	enum err err = complete(config, &config->ca, "ca", e);

	for (int usage = 0; usage < USAGE_COUNT && !err; usage++)
		if (is_used(config, sections[usage]))
			err = complete(config, &config->ca_for[usage], sections[usage], e);
	for (int usage = 0; usage < USAGE_COUNT && !err; usage++)
		config->ca_of[usage] = choose(config, usage);
	return err;
}

static enum err check_key(const struct config *config, const struct config_ca *ca,
	const struct config_key *k, struct error *e)
{
	const char *type = ca_type_names[ca->type];
	unsigned bit = 1U << ca->type;

	if (*config_key_line(config, k) && !(k->types & bit))
		return config_error(config, k->section, k->name, e,
			"a CA with type = %s does not use it", type);
	if (k->needed & bit && !config_key_text(config, k))
		return config_error(
			config, k->section, k->name, e, "missing; type = %s needs it", type);
	return ERR_OK;
}

static enum err check(const struct config *config, const struct config_ca *ca,
	struct config_faults *faults, struct error *e)
{
	enum err err = ERR_OK;

	for (const struct config_key *k = config_key_find(ca->section, NULL); k && !err;
		k = next_of(k))
		err = config_tell(faults, check_key(config, ca, k, e), e);
	return err ? err
		   : config_tell(faults,
			     config_rules_identity(config, ca->section, ca->identity, e), e);
}

/* If no usage's CA is [ca], that section holds only shared values and needs no check. */
enum err config_ca_check(const struct config *config, struct config_faults *faults, struct error *e)
{
	bool general = false;
	enum err err = ERR_OK;

	for (int usage = 0; usage < USAGE_COUNT && !err; usage++) {
		if (config->ca_for[usage].section)
			err = check(config, &config->ca_for[usage], faults, e);
		general = general || config_ca(config, (enum usage)usage) == &config->ca;
	}
	return err || !general ? err : check(config, &config->ca, faults, e);
}

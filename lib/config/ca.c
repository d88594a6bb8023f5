#include <stdlib.h>
#include <string.h>

#include "config/keys.h"

/* [ca], and what [ca signing] and [ca encryption] have of it. */

static const char *const sections[USAGE_COUNT] = {
	[USAGE_SIGNING] = "ca signing",
	[USAGE_ENCRYPTION] = "ca encryption",
};

/* The keys of a section stand together: NULL behind the last one. */
static const struct option *next_of(const struct option *o)
{
	const struct option *next = o + 1;

	return next < config_options + config_option_count && strcmp(next->section, o->section) == 0
		       ? next
		       : NULL;
}

static bool is_used(const struct config *config, const char *section)
{
	for (const struct option *o = config_option(section, NULL); o; o = next_of(o))
		if (*config_line(config, o))
			return true;
	return false;
}

const struct config_ca *config_ca(const struct config *config, enum usage usage)
{
	return config->ca_of[usage] ? config->ca_of[usage] : &config->ca;
}

int64_t config_longest(const struct config *config)
{
	int64_t seconds = config->escrow.timeout;

	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (config->certificates.usages[usage])
			seconds += config_ca(config, (enum usage)usage)->timeout;
	return seconds;
}

/* --- what an order is about */

static void put_value(const struct config_ca *ca, const struct option *o, struct buf *out)
{
	const char *at = (const char *)ca + (o->offset - offsetof(struct config, ca));
	const char *text = NULL;
	unsigned kind = 0;
	int64_t number = 0;

	if (o->allocated) {
		memcpy(&text, at, sizeof(text));
		buf_puts(out, text ? text : "");
	} else if (o->names) {
		memcpy(&kind, at, sizeof(kind));
		buf_puts(out, o->names[kind]);
	} else {
		memcpy(&number, at, sizeof(number));
		buf_printf(out, "%lld", (long long)number);
	}
	buf_putc(out, '\n');
}

/* In the order of the table, which a request that waits for approval outlives. */
void config_ca_terms(const struct config_ca *ca, struct buf *out)
{
	for (const struct option *o = config_option("ca", NULL); o; o = next_of(o))
		if (o->terms == CA_TERMS_PART)
			put_value(ca, o, out);
}

/* --- what is not set */

#define STORE_AND_KEYS 60 /* seconds */

int64_t config_patience(const struct config *config)
{
	return config_longest(config) + config->escrow.timeout + STORE_AND_KEYS;
}

static enum err copy_value(
	struct config *config, const struct option *from, const struct option *to, struct error *e)
{
	const char *base = (const char *)config + from->offset;
	char *text = NULL;

	if (from->allocated && config_text(config, from)) {
		text = strdup(config_text(config, from));
		if (!text)
			return error_memory(e);
	}
	memcpy((char *)config + to->offset, from->allocated ? (const char *)&text : base, to->size);
	return ERR_OK;
}

/* same: [ca] is of the same type, or this is [ca]. */
static enum err complete_key(struct config *config, const struct config_ca *ca,
	const struct option *o, bool same, struct error *e)
{
	const struct option *general = config_option("ca", o->key);

	if (*config_line(config, o) || !(o->types & 1U << ca->type))
		return ERR_OK;
	if (same && general != o)
		return copy_value(config, general, o, e);
	return o->fallback ? o->set(config, o, o->fallback, e) : ERR_OK;
}

static enum err complete(
	struct config *config, struct config_ca *ca, const char *section, struct error *e)
{
	const struct option *type = config_option(section, "type");
	enum err err = ERR_OK;
	bool same;

	ca->section = section;
	if (!*config_line(config, type))
		ca->type = config->ca.type;
	same = ca->type == config->ca.type;
	for (const struct option *o = next_of(type); o && !err; o = next_of(o))
		err = complete_key(config, ca, o, same, e);
	return err;
}

static const struct config_ca *choose(const struct config *config, int usage)
{
	const struct config_ca *own = &config->ca_for[usage];

	/* A usage that there is not needs no CA that is not even mentioned. */
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
	const struct option *o, struct error *e)
{
	const char *type = ca_type_names[ca->type];
	unsigned bit = 1U << ca->type;

	if (*config_line(config, o) && !(o->types & bit))
		return config_error(
			config, o->section, o->key, e, "a CA with type = %s does not use it", type);
	if (o->needed & bit && !config_text(config, o))
		return config_error(
			config, o->section, o->key, e, "missing; type = %s needs it", type);
	return ERR_OK;
}

static enum err check(const struct config *config, const struct config_ca *ca,
	struct config_faults *faults, struct error *e)
{
	enum err err = ERR_OK;

	for (const struct option *o = config_option(ca->section, NULL); o && !err; o = next_of(o))
		err = config_tell(faults, check_key(config, ca, o, e), e);
	return err ? err
		   : config_tell(faults,
			     config_check_identity(config, ca->section, ca->identity, e), e);
}

/* Where no usage's CA is [ca], that is only what they have in common. */
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

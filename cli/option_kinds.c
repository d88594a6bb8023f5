/* The kinds of options that several commands have. */

#include "cli/option_kinds.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "cli/names.h"
#include "config/vocabulary.h"

#define AHEAD_MAX (3650LL * 86400)
#define AHEAD_MIN 3600
#define RATE_MAX 1000

enum err option_set_text(void *field, const char *value, struct error *e)
{
	const char **text = field;

	(void)e;
	*text = value;
	return ERR_OK;
}

static enum err set_serial(void *field, const char *value, struct error *e)
{
	(void)e;
	return names_serial(value, field) ? ERR_OK : ERR_USAGE;
}

static enum err set_usage(void *field, const char *value, struct error *e)
{
	int *usage = field, found = vocabulary_find(usage_names, USAGE_COUNT, value);

	(void)e;
	if (found < 0)
		return ERR_USAGE;
	*usage = found;
	return ERR_OK;
}

static enum err set_rate(void *field, const char *value, struct error *e)
{
	unsigned *rate = field;
	int64_t found = 0;

	(void)e;
	if (!text_number(value, RATE_MAX, &found) || found == 0)
		return ERR_USAGE;
	*rate = (unsigned)found;
	return ERR_OK;
}

static enum err set_ahead(void *field, const char *value, struct error *e)
{
	int64_t *seconds = field, found = 0;

	if (!text_duration(value, AHEAD_MAX, &found))
		return ERR_USAGE;
	if (found == 60)
		return error_set(e, ERR_USAGE, "%s is one minute; write 30d for a month", value);
	if (found < AHEAD_MIN && value[strlen(value) - 1] == 'm')
		return error_set(e, ERR_USAGE, "%s is %lld minutes; write 30d for a month", value,
			(long long)found / 60);
	if (found < AHEAD_MIN)
		return error_set(e, ERR_USAGE, "that is under an hour; write 30d for 30 days");
	*seconds = found;
	return ERR_OK;
}

const struct option_kind option_flag = {NULL, NULL};
const struct option_kind option_file = {"the name of a file", option_set_text};
const struct option_kind option_user = {"a UUID, user name or mail address", option_set_text};
const struct option_kind option_device = {"a UUID or friendly name", option_set_text};
const struct option_kind option_serial = {"a serial number in hexadecimal", set_serial};
const struct option_kind option_usage = {"signing or encryption", set_usage};
const struct option_kind option_rate = {"a number from 1 to 1000, of uploads a second,", set_rate};
const struct option_kind option_ahead = {"a time such as 30d or 12h", set_ahead};

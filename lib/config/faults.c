/* Collects the errors of a configuration file, or ends the reading at the first one. */
#include "config/faults.h"

#include <stdio.h>
#include <string.h>

#include "config/keys.h"

/* Returns true for an error about a key whose value was refused before. */
static bool is_known(const struct config_faults *faults, const struct error *e)
{
	char name[64];

	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];

		snprintf(name, sizeof(name), ": [%s] %s: ", k->section, k->name);
		if (faults->wrong[i] && strstr(e->text, name))
			return true;
	}
	return false;
}

enum err config_tell(struct config_faults *faults, enum err err, const struct error *e)
{
	if (!err || !faults->fault || err == ERR_INTERNAL)
		return err;
	if (!is_known(faults, e)) {
		faults->fault(faults->ctx, e->text);
		faults->count++;
	}
	return ERR_OK;
}

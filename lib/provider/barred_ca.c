/* Lists the barred CAs and describes them. When one is tried again, barred_ca_try.c decides. */

#include "provider/barred_ca.h"

#include "base/clock.h"
#include "provider/config_fingerprint.h"

void barred_ca_text(const struct barred_ca *ca, struct buf *out)
{
	char since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];

	clock_rfc3339(ca->state.since, since);
	clock_rfc3339(ca->state.until, until);
	buf_printf(out,
		"the CA of [%s] has processed no request since %s and is tried again at %s "
		"(deliver --now tries at once): %s",
		ca->section, since, until, ca->state.cause);
}

enum err barred_ca_find(const struct config *config, const char *fingerprint, struct store *store,
	struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e)
{
	const struct config_ca *before = NULL;
	enum err err = ERR_OK;

	*count = 0;
	for (int usage = 0; usage < USAGE_COUNT && !err; usage++) {
		const struct config_ca *ca = config_ca(config, (enum usage)usage);
		const struct store_access access = {ca->section, fingerprint, ""};

		if (ca == before)
			continue;
		before = ca;
		err = store_access_find(store, &access, &out[*count].state, e);
		if (!err)
			out[(*count)++].section = ca->section;
		else if (err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	return err;
}

enum err barred_ca_gather(const struct config *config, struct store *store,
	struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e)
{
	char fingerprint[DIGEST_HEX_SIZE];
	enum err err = config_fingerprint(config, fingerprint, e);

	return err ? err : barred_ca_find(config, fingerprint, store, out, count, e);
}

#ifndef PROVIDER_BARRED_H
#define PROVIDER_BARRED_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "store/store.h"

/*
 * CAs that judge no request, as they reject our credentials or are not where they should be: a
 * person has to see to it. Until then they are tried slowly, from some minutes to an hour, by one
 * process for all.
 */
struct barred_ca {
	const char *section; /* borrowed from the configuration */
	struct store_barred state;
};

/* Those of the configuration; *count of them. */
enum err barred_gather(const struct config *config, struct store *store,
	struct barred_ca out[USAGE_COUNT], size_t *count, struct error *e) must_check;

/* The same, as the provider has come to know them. */
struct provider;
enum err barred_of_provider(struct provider *provider, struct barred_ca out[USAGE_COUNT],
	size_t *count, struct error *e) must_check;

/* "the CA of [ca] has processed no request since …, is tried again at …: cause" */
void barred_text(const struct barred_ca *ca, struct buf *out);

/*
 * Before a request: ERR_BARRED where it is not to be sent now, with e->retry_after. *known: the CA
 * is barred, and this is the try of all.
 */
struct ca;
enum err barred_enter(
	struct provider *p, const struct ca *ca, bool *known, struct error *e) must_check;

/* Behind it: what came of it, e is filled where that is an error; e->retry_after may be set. */
void barred_leave(
	struct provider *p, const struct ca *ca, bool known, enum err came, struct error *e);

#endif

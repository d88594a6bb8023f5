#ifndef PROVIDER_BARRED_CA_TRY_H
#define PROVIDER_BARRED_CA_TRY_H

#include "provider/barred_ca.h"

struct ca;
struct provider;

/* The barred CAs, as the provider has come to know them. */
enum err barred_ca_of_provider(struct provider *provider, struct barred_ca out[USAGE_COUNT],
	size_t *count, struct error *e) must_check;

/*
 * Before a request: ERR_BARRED where it is not to be sent now, with e->retry_after. *known: the CA
 * is barred, and this is the try of all.
 */
enum err barred_ca_enter(
	struct provider *p, const struct ca *ca, bool *known, struct error *e) must_check;

/* Behind it: what came of it, e is filled where that is an error; e->retry_after may be set. */
void barred_ca_leave(
	struct provider *p, const struct ca *ca, bool known, enum err came, struct error *e);

#endif

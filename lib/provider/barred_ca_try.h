#ifndef PROVIDER_BARRED_CA_TRY_H
#define PROVIDER_BARRED_CA_TRY_H

#include "provider/barred_ca.h"

struct ca;
struct provider;

/* The barred CAs, as the provider has come to know them. */
enum err barred_ca_of_provider(struct provider *p, struct barred_ca out[USAGE_COUNT], size_t *count,
	struct error *e) must_check;

/*
 * Call it before a request: ERR_BARRED, with e->retry_after, if it must not be sent now. Sets
 * *known if the CA is barred and this process tries it for all.
 */
enum err barred_ca_enter(
	struct provider *p, const struct ca *ca, bool *known, struct error *e) must_check;

/* Call it after the request, with its result. May set e->retry_after. */
void barred_ca_leave(
	struct provider *p, const struct ca *ca, bool known, enum err came, struct error *e);

#endif

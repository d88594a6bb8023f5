#ifndef PROVIDER_PROVIDER_PARTS_H
#define PROVIDER_PROVIDER_PARTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "ca/ca.h"
#include "config/config.h"
#include "escrow/escrow.h"
#include "pki/key_pool.h"
#include "provider/admission.h"
#include "provider/counters.h"
#include "store/store.h"

/* The parts of a provider, for the use cases. Nobody outside lib/provider includes this. */
struct provider {
	const struct config *config;
	struct store *store;
	struct ca *ca[USAGE_COUNT]; /* may be one and the same */
	struct escrow *escrow;
	struct key_pool *pool;		   /* borrowed; NULL: every key is made when it is needed */
	struct counters *counters;	   /* borrowed; NULL: nobody counts */
	struct admission_pass *pass;	   /* borrowed; NULL: nothing is limited */
	char fingerprint[DIGEST_HEX_SIZE]; /* config_fingerprint() when it was opened */
	struct blob pkcs12_password;	   /* data is NULL: none */
	struct confirmation *confirmation; /* NULL: no [uem] */
	struct look_up *look_up;	   /* NULL: no [ldap] */
	bool now;			   /* asks CAs even before they want to be asked again */
	bool bulk;	 /* asks UEM nothing that needs the last tenth of its quota */
	const char *run; /* with now: the name of that run; borrowed */
};

#endif

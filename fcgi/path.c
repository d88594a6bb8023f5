/* The paths that requests may have, so that answers can be counted by them. */
#include "fcgi/path.h"

#include <string.h>

const char *const path_names[PATH_COUNT] = {
	[PATH_EVENTS] = "/events",
	[PATH_HEALTHZ] = "/healthz",
	[PATH_CA_CERTIFICATE] = "/ca.cer",
	[PATH_CA_CRL] = "/ca.crl",
	[PATH_CA_ENCRYPTION_CERTIFICATE] = "/ca-encryption.cer",
	[PATH_CA_ENCRYPTION_CRL] = "/ca-encryption.crl",
	[PATH_METRICS] = "/metrics",
	[PATH_STATUS] = "/status",
	[PATH_OTHER] = "other",
};

enum path path_find(const char *name)
{
	unsigned which = 0;

	while (which < PATH_OTHER && strcmp(name, path_names[which]) != 0)
		which++;
	return (enum path)which;
}

/* Removes variables that make libraries write secrets to files or logs. */
#include "base/environment.h"

#include <stdlib.h>
#include <unistd.h>

#define OURSELVES "/proc/self/exe"

static const char *const unwanted[] = {
	"SSLKEYLOGFILE",	       /* GnuTLS, libcurl: secrets of TLS sessions */
	"GNUTLS_DEBUG_LEVEL",	       /* what is sent and received, keys among it */
	"GNUTLS_SYSTEM_PRIORITY_FILE", /* another choice of algorithms */
	"GNUTLS_SKIP_FIPS_INTEGRITY_CHECKS",
	"GNUTLS_NO_IMPLICIT_INIT", /* we rely on it */
	"GNUTLS_NO_EXPLICIT_INIT",
	"KRB5_TRACE",
	"GSSNTLMSSP_DEBUG",
	"P11_KIT_DEBUG",
};

enum err environment_clean(char **argv, struct error *e)
{
	bool dirty = false;

	for (size_t i = 0; i < ARRAY_LEN(unwanted); i++) {
		if (!getenv(unwanted[i]))
			continue;
		unsetenv(unwanted[i]);
		dirty = true;
	}
	if (!dirty)
		return ERR_OK;
	execv(OURSELVES, argv);
	return error_errno(e, ERR_INTERNAL,
		"the environment has a variable that makes libraries log keys (SSLKEYLOGFILE, "
		"GNUTLS_DEBUG_LEVEL, KRB5_TRACE or the like), and the program cannot restart "
		"without it: " OURSELVES);
}

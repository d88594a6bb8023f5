#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include "base/error.h"

/*
 * Starts this program anew, with the same arguments and process id, if the environment makes a
 * library write keys or what passes through it into a file or a log (SSLKEYLOGFILE,
 * GNUTLS_DEBUG_LEVEL, KRB5_TRACE and others), or lets it take weaker algorithms. For the first line
 * of main(): GnuTLS reads some of them before that, so to unset them is not enough. ERR_INTERNAL:
 * it cannot be started anew.
 */
enum err environment_clean(char **argv, struct error *e) must_check;

#endif

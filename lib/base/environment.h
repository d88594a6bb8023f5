#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include "base/error.h"

/*
 * Restarts this program, with the same arguments and process id, if the environment makes a library
 * write keys or its traffic to a file or a log (SSLKEYLOGFILE, GNUTLS_DEBUG_LEVEL, KRB5_TRACE and
 * others), or lets it accept weaker algorithms. For the first line of main(). GnuTLS reads some of
 * these variables even earlier, so that unsetting them is not enough. ERR_INTERNAL: the program
 * cannot be restarted.
 */
enum err environment_clean(char **argv, struct error *e) must_check;

#endif

#ifndef BENCH_SHORTCUTS_H
#define BENCH_SHORTCUTS_H

#include <stdbool.h>

#include "base/error.h"

/*
 * For populate, which is linked with --wrap: the product enrolls as it always does, but for what
 * would take hours. Nothing is sent to a gateway, nothing is packed for it, what our own CA issues
 * is not checked, few keys serve all certificates in turn, and many transactions of the store are
 * committed as one.
 */

/* What the gateways answer from here on: a 202, or nothing at all. */
void shortcut_gateways(bool answer);

/* Commits what the last transactions wrote. ERR_INTERNAL if some of it was lost by a failure. */
enum err shortcut_commit(struct error *e) must_check;

#endif

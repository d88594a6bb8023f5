#ifndef STORE_LEASE_SWEEP_H
#define STORE_LEASE_SWEEP_H

#include "base/error.h"

/* Leases of processes that have ended. */

struct store;

/* This process, as a lease has it. Borrowed. */
const char *lease_holder(struct store *store);

/*
 * Outside a transaction, before anything that looks at leases: those of processes of this machine
 * that have ended are free, and what the handler had begun is due. Looks once a second at most.
 */
enum err leases_sweep(struct store *store, struct error *e) must_check;

#endif

#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "config/config.h"
#include "store/address.h"
#include "store/audit.h"
#include "store/barred.h"
#include "store/credential.h"
#include "store/device.h"
#include "store/due.h"
#include "store/enrollment.h"
#include "store/event.h"
#include "store/lease.h"
#include "store/list.h"
#include "store/renewal.h"
#include "store/request.h"
#include "store/revocation.h"
#include "store/row_mac.h"
#include "store/upload.h"

/*
 * The product's data: events, credentials, uploads, devices, users. Operations in the terms of the
 * domain, a file and its header a subject; the database is lib/db's. Each writing operation is one
 * durable transaction. UUIDs are lower case.
 *
 * Errors: ERR_UNAVAILABLE when the database is busy or out of reach, ERR_CONFIG for a store that is
 * missing, of another version or of another master key, ERR_NOT_FOUND where said, ERR_INTERNAL for
 * all else.
 */
struct store;

/* First set-up: master key file (0600) and an empty store. ERR_CONFIG if one is there already. */
enum err store_init(const struct config *config, struct error *e) must_check;

/* Opens it, brings its schema up to date, checks the master key against it. */
enum err store_open(const struct config *config, struct store **out, struct error *e) must_check;
void store_close(struct store *store);

/* The store that a configuration names, for messages: the database's path. Borrowed. */
const char *store_describe(const struct config *config);

/* Does it answer? */
enum err store_ping(struct store *store, struct error *e) must_check;

/* Reads all of it and looks for damage: ERR_CONFIG. Other processes go on working meanwhile. */
enum err store_examine(struct store *store, struct error *e) must_check;

#endif

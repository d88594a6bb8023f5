#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "db/db.h"

/*
 * Brings the schema up to date, from an empty database too. ERR_CONFIG if it is of a newer program.
 */
enum err schema_migrate(struct db *db, struct error *e) must_check;

#endif

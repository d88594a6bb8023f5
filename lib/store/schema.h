#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "db/db.h"

/*
 * Brings the schema of the database, which may be empty, up to date. ERR_CONFIG if a newer version
 * of the program wrote it.
 */
enum err schema_migrate(struct db *db, struct error *e) must_check;

#endif

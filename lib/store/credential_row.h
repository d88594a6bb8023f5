#ifndef STORE_CREDENTIAL_ROW_H
#define STORE_CREDENTIAL_ROW_H

#include "db/db.h"
#include "store/credential.h"

/* The columns of credential that are read, with the sealed key, and without it. */
#define CREDENTIAL_COLUMNS CREDENTIAL_COLUMNS_BUT_KEY ", \"key\""
#define CREDENTIAL_BUT_KEY CREDENTIAL_COLUMNS_BUT_KEY ", NULL"
#define CREDENTIAL_COLUMNS_BUT_KEY                                                 \
	"id, usage, state, user_uuid, device_uuid, mail, serial, subject, issuer," \
	" not_before, not_after, chain"

/* The current row, of these columns. */
enum err credential_read(
	const struct db_rows *row, struct credential *out, struct error *e) must_check;

/*
 * All that a statement gives; *out is an array for credentials_free(). Those that are read with
 * their keys are checked: ERR_ALTERED.
 */
enum err credentials_read(struct store *store, const char *sql, const struct db_value *values,
	size_t value_count, struct credential **out, size_t *count, struct error *e) must_check;

#endif

#ifndef TESTS_STORE_DATABASE_H
#define TESTS_STORE_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The database under the store that is tested, and what somebody else does in it behind the
 * store's back. Only store_database.c knows which database it is. Statements are in the words that
 * all databases of the store have in common; $1 is a parameter.
 */

struct fixture;

/* Names an empty database in f->config and f->database; removes it. */
void database_make(struct fixture *f);
void database_remove(struct fixture *f);

/* Statements, separated by ";". $1 is 32 octets of zero, or value. */
void sql(struct fixture *f, const char *text);
void sql_with(struct fixture *f, const char *text, const struct blob *value);

/* Gives the first column of the first row, which must be there. The caller frees the blob. */
int64_t sql_integer(struct fixture *f, const char *text);
struct blob sql_blob(struct fixture *f, const char *text);
/* Gives the first column of all rows, separated by spaces; valid until the next call. */
const char *sql_texts(struct fixture *f, const char *text);

/* Removes what the database itself does against changes of the audit trail. */
void sql_open_audit(struct fixture *f);

/* Passes if the database finds no damage, and no reference to a missing row. */
void assert_intact(struct fixture *f);

#endif

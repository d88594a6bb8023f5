#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "db/db.h"

/*
 * What a driver does: each operation is the one of the same name in db.h. A driver's own struct has
 * a struct db, or a struct db_rows, as its first member.
 */

struct db {
	const struct db_driver *driver;
	unsigned tries; /* of the transaction that runs, so far */
};

struct db_rows {
	struct db *db;
};

/* What a word in braces means; "@" is what stands behind the word. */
struct db_word {
	const char *word, *meaning;
};

struct db_driver {
	enum err (*create)(const char *place, struct db **out, struct error *e);
	enum err (*open)(const char *place, struct db **out, struct error *e);
	void (*close)(struct db *db);
	void (*discard)(struct db *db);
	const char *(*name)(const struct db *db);

	enum err (*begin)(struct db *db, struct error *e);
	enum err (*begin_read)(struct db *db, struct error *e);
	/*
	 * Ends what was begun, if it was, and frees the turn. *again: what failed was of a kind
	 * that another run may not meet.
	 */
	enum err (*end)(struct db *db, enum err err, bool *again, struct error *e);

	enum err (*run)(struct db *db, const char *sql, const struct db_value *values, size_t count,
		struct error *e);
	enum err (*change)(struct db *db, const char *sql, const struct db_value *values,
		size_t count, int64_t *changed, struct error *e);
	enum err (*flush)(struct db *db, struct error *e);
	enum err (*start)(struct db *db, const char *sql, bool once, const struct db_value *values,
		size_t count, struct db_rows **out, struct error *e);
	enum err (*next)(struct db_rows *rows, bool *row, struct error *e);
	void (*done)(struct db_rows *rows);

	int (*columns)(const struct db_rows *rows);
	const char *(*column_name)(const struct db_rows *rows, int column);
	enum db_type (*column_type)(const struct db_rows *rows, int column);
	int64_t (*column_integer)(const struct db_rows *rows, int column);
	const char *(*column_text)(const struct db_rows *rows, int column);
	const void *(*column_bytes)(const struct db_rows *rows, int column, size_t *len);

	enum err (*version)(struct db *db, int64_t *version, struct error *e);
	/* script: with the words replaced. */
	enum err (*set_version)(
		struct db *db, const char *script, int64_t version, struct error *e);
	const struct db_word *words; /* behind the last one, one whose word is NULL */

	enum err (*ping)(struct db *db, struct error *e);
	enum err (*examine)(struct db *db, struct error *e);
	enum err (*scrub)(struct db *db, struct error *e);
	enum err (*reserve)(struct db *db, bool *ours, struct error *e);
};

#endif

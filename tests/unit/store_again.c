/*
 * A driver that lets no transaction through at its first try: what a store does must be the same
 * when it is done again. CERTPROV_TEST_AGAIN=1 puts it before the database's own.
 */
#include "tests/unit/store_fixture.h"

#include <stdlib.h>

#include "db/driver.h"
#include "store/handle.h"

static const struct db_driver *own;
static bool tried;

static enum err end(struct db *db, enum err err, bool *again, struct error *e)
{
	struct error lost;
	enum err fault;

	if (err || tried) {
		tried = false;
		return own->end(db, err, again, e);
	}
	tried = true;
	fault = own->end(db, error_set(&lost, ERR_UNAVAILABLE, "lost"), again, &lost);
	*again = true;
	return error_set(e, fault, "%s", lost.text);
}

void work_again(struct store *store)
{
	static struct db_driver restless;
	const char *wanted = getenv("CERTPROV_TEST_AGAIN");

	if (!wanted || !*wanted)
		return;
	own = store->db->driver == &restless ? own : store->db->driver;
	restless = *own;
	restless.end = end;
	store->db->driver = &restless;
}

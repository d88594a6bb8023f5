/*
 * Processes that die at a named point of their work, for tests. The programs in this
 * folder are the product's own objects; the linker's --wrap puts the points around some of
 * their functions, so the product itself has nothing of this.
 *
 * CERTPROV_TEST_STOPS names a folder. Who comes first to a point that a file in it is
 * named after removes the file and is killed by SIGKILL, so each file ends one process:
 *
 *   record, identity, signing …   such a step of an event has ended (provider/step_times.h)
 *   requested   a request for an external CA is stored, and the CA has not seen it yet
 *   issued      the CA has issued a certificate, and the store does not have it yet
 *   sent        a gateway has accepted an upload, and the store does not know it yet
 *   written     a transaction is complete but for its COMMIT
 *   committed   it has just been committed
 */

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ca/ca.h"
#include "db/db.h"
#include "escrow/escrow.h"
#include "provider/step_times.h"
#include "store/store.h"

void __real_step_times_done(struct step_times *steps, enum step step, const char *result);
void __wrap_step_times_done(struct step_times *steps, enum step step, const char *result);
enum err __real_ca_issue(
	struct ca *ca, const struct ca_order *order, struct ca_answer *out, struct error *e);
enum err __wrap_ca_issue(
	struct ca *ca, const struct ca_order *order, struct ca_answer *out, struct error *e);
enum err __real_store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e);
enum err __wrap_store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e);
enum err __real_escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e);
enum err __wrap_escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e);
bool __real_db_end(struct db *db, enum err *err, struct error *e);
bool __wrap_db_end(struct db *db, enum err *err, struct error *e);

static void stop_at(const char *point)
{
	const char *folder = getenv("CERTPROV_TEST_STOPS");
	char path[PATH_MAX];

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, point);
	if (unlink(path) == 0)
		raise(SIGKILL);
}

void __wrap_step_times_done(struct step_times *steps, enum step step, const char *result)
{
	__real_step_times_done(steps, step, result);
	stop_at(step_names[step]);
}

enum err __wrap_store_request_add(struct store *store, const struct store_asking *asking,
	struct store_request *request, bool *won, struct error *e)
{
	enum err err = __real_store_request_add(store, asking, request, won, e);

	if (!err && *won)
		stop_at("requested");
	return err;
}

enum err __wrap_ca_issue(
	struct ca *ca, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	enum err err = __real_ca_issue(ca, order, out, e);

	if (!err)
		stop_at("issued");
	return err;
}

enum err __wrap_escrow_send(struct escrow *escrow, size_t gateway, const struct buf *payload,
	int64_t deadline, struct error *e)
{
	enum err err = __real_escrow_send(escrow, gateway, payload, deadline, e);

	if (!err)
		stop_at("sent");
	return err;
}

bool __wrap_db_end(struct db *db, enum err *err, struct error *e)
{
	bool again;

	if (!*err)
		stop_at("written");
	again = __real_db_end(db, err, e);
	if (!again && !*err)
		stop_at("committed");
	return again;
}

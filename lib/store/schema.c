/*
 * The schema, as steps from one version to the next, in the words of db_set_version(). What a step
 * that has been released does is never changed again.
 *
 * Big values come last in a row: SQLite reads a row from its start and leaves the pages behind it
 * alone.
 */
#include "store/schema.h"

static const char version_1[] =
	"CREATE TABLE meta ("
	"	name TEXT NOT NULL PRIMARY KEY,"
	"	value {blob} NOT NULL"
	"){by key};"

	"CREATE TABLE \"user\" ("
	"	user_uuid TEXT NOT NULL PRIMARY KEY CHECK (user_uuid != ''),"
	"	user_name TEXT NOT NULL,"
	"	mail TEXT NOT NULL,"
	"	added_at {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL"
	"){by key};"

	"CREATE TABLE event ("
	"	id {id},"
	"	state TEXT NOT NULL"
	"		CHECK (state IN ('pending', 'delivered', 'recorded', 'failed')),"
	"	tries {integer} NOT NULL DEFAULT 0,"
	"	next_at {integer} CHECK ((next_at IS NOT NULL) = (state = 'pending')),"
	"	received_at {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL,"
	"	request_id TEXT NOT NULL,"
	"	kind TEXT NOT NULL CHECK (kind IN ('enrolled', 'unenrolled')),"
	"	event_type TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	user_name TEXT NOT NULL,"
	"	device_name TEXT NOT NULL,"
	"	platform TEXT NOT NULL,"
	"	cause TEXT NOT NULL DEFAULT '',"
	"	payload {blob} NOT NULL"
	"){};"
	"CREATE INDEX event_due ON event (state, next_at);"
	"CREATE INDEX event_open ON event (device_uuid, user_uuid)"
	"	WHERE state IN ('pending', 'failed');"

	/*
	 * A device that several users enrolled, one after the other, has a row for each.
	 * event_id: its latest enrollment.
	 */
	"CREATE TABLE device ("
	"	device_uuid TEXT NOT NULL CHECK (device_uuid != ''),"
	"	user_uuid TEXT NOT NULL REFERENCES \"user\","
	"	state TEXT NOT NULL CHECK (state IN ('enrolled', 'unenrolled')),"
	"	device_name TEXT NOT NULL,"
	"	platform TEXT NOT NULL,"
	"	event_id {integer} NOT NULL REFERENCES event,"
	"	enrolled_at {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL,"
	"	PRIMARY KEY (device_uuid, user_uuid)"
	"){by key};"
	"CREATE INDEX device_user ON device (user_uuid, state);"

	/* device_uuid '': the user's. key: sealed PKCS#8. */
	"CREATE TABLE credential ("
	"	id {id},"
	"	usage TEXT NOT NULL CHECK (usage IN ('signing', 'encryption')),"
	"	state TEXT NOT NULL CHECK (state IN ('active', 'archived', 'revoked')),"
	"	user_uuid TEXT NOT NULL REFERENCES \"user\","
	"	device_uuid TEXT NOT NULL CHECK (device_uuid = '' OR usage = 'signing'),"
	"	mail TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	subject TEXT NOT NULL,"
	"	issuer TEXT NOT NULL,"
	"	not_before {integer} NOT NULL,"
	"	not_after {integer} NOT NULL,"
	"	added_at {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL,"
	"	chain {blob} NOT NULL,"
	"	key {blob} NOT NULL,"
	"	UNIQUE (serial, issuer)"
	"){};"
	"CREATE UNIQUE INDEX credential_active ON credential (user_uuid, usage, device_uuid)"
	"	WHERE state = 'active';"
	"CREATE INDEX credential_user ON credential (user_uuid, not_before);"
	"CREATE INDEX credential_expiry ON credential (state, not_after, usage);"

	"CREATE TABLE upload ("
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	gateway TEXT NOT NULL,"
	"	state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),"
	"	tries {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL,"
	"	delivered_at {integer}," /* the last time that it was; NULL: never yet */
	"	cause TEXT NOT NULL,"
	"	contents TEXT NOT NULL,"
	"	PRIMARY KEY (device_uuid, user_uuid, gateway),"
	"	FOREIGN KEY (device_uuid, user_uuid) REFERENCES device"
	"){by key};"
	"CREATE INDEX upload_state ON upload (state, updated_at);";

static const char version_2[] =
	/*
	 * Leases of processes. event_id 0: no event, but the credentials that the device has
	 * already. claimed 0: the event came in just now.
	 */
	"CREATE TABLE lease ("
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	event_id {integer} NOT NULL,"
	"	until {integer} NOT NULL,"
	"	claimed {integer} NOT NULL CHECK (claimed IN (0, 1)),"
	"	PRIMARY KEY (device_uuid, user_uuid, event_id)"
	"){by key};"
	"CREATE INDEX event_undone ON event (id) WHERE state IN ('pending', 'failed');";

static const char version_3[] =
	/* Narrow, so that a list of very many is read fast: a credential's row has its key. */
	"CREATE TABLE revocation ("
	"	credential_id {integer} PRIMARY KEY REFERENCES credential,"
	"	issuer TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	not_after {integer} NOT NULL,"
	"	revoked_at {integer} NOT NULL,"
	"	reason TEXT NOT NULL CHECK (reason IN ('unspecified', 'keyCompromise',"
	"		'cACompromise', 'affiliationChanged', 'superseded',"
	"		'cessationOfOperation', 'privilegeWithdrawn', 'aACompromise'))"
	"){};"
	"CREATE INDEX revocation_issuer ON revocation (issuer, not_after);"

	/*
	 * The list that is out, for each issuer. number: the highest that was given away.
	 * authority: which certificate signed it; covers: how many of the issuer's were revoked
	 * then.
	 */
	"CREATE TABLE crl ("
	"	issuer TEXT NOT NULL PRIMARY KEY,"
	"	number {integer} NOT NULL,"
	"	published {integer} NOT NULL DEFAULT 0,"
	"	authority TEXT NOT NULL DEFAULT '',"
	"	covers {integer} NOT NULL DEFAULT 0,"
	"	this_update {integer} NOT NULL DEFAULT 0,"
	"	next_update {integer} NOT NULL DEFAULT 0,"
	"	list {blob}"
	"){};"
	"CREATE INDEX credential_device ON credential (device_uuid, state)"
	"	WHERE device_uuid != '';";

static const char version_4[] =
	/* Each entry is chained to the one before by its MAC; see audit_mac.h. */
	"CREATE TABLE audit ("
	"	id {id},"
	"	at {integer} NOT NULL,"
	"	action TEXT NOT NULL,"
	"	request_id TEXT NOT NULL,"
	"	actor TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	detail TEXT NOT NULL,"
	"	mac {blob} NOT NULL"
	"){};"
	"{append only audit}"

	/*
	 * inputs: what a failed one was tried with. wanted: the newest credential that the device
	 * shall have. left_out: how many earlier ones were too many.
	 */
	"ALTER TABLE event ADD COLUMN inputs TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE upload ADD COLUMN next_at {integer};"
	"ALTER TABLE upload ADD COLUMN inputs TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE upload ADD COLUMN wanted {integer} NOT NULL DEFAULT 0;"
	"ALTER TABLE upload ADD COLUMN left_out {integer} NOT NULL DEFAULT 0;"
	"UPDATE upload SET next_at = updated_at WHERE state = 'pending';"
	"CREATE INDEX upload_undone ON upload (device_uuid, user_uuid)"
	"	WHERE state IN ('pending', 'failed');"
	"CREATE INDEX upload_left_out ON upload (device_uuid, user_uuid) WHERE left_out > 0;"
	"CREATE INDEX credential_renewal ON credential (user_uuid, not_after)"
	"	WHERE state = 'active';";

static const char version_5[] =
	/*
	 * The device and user of an event, apart from its body: to look for one reads a tenth of
	 * the pages.
	 */
	"CREATE INDEX event_names ON event (device_uuid, user_uuid, user_name, device_name);"
	"CREATE INDEX audit_user ON audit (user_uuid) WHERE user_uuid != '';"
	"CREATE INDEX audit_device ON audit (device_uuid) WHERE device_uuid != '';";

static const char version_6[] =
	/* The time of the latest event that brought the address; 0: not known. */
	"ALTER TABLE \"user\" ADD COLUMN mail_time {integer} NOT NULL DEFAULT 0;"
	"CREATE INDEX credential_mail ON credential (mail{no case});";

static const char version_7[] =
	/*
	 * until: of a lease. pending_at: when the CA first said that it has not decided yet. key:
	 * sealed PKCS#8.
	 */
	"CREATE TABLE request ("
	"	id {id once},"
	"	usage TEXT NOT NULL CHECK (usage IN ('signing', 'encryption')),"
	"	user_uuid TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL CHECK (device_uuid = '' OR usage = 'signing'),"
	"	terms TEXT NOT NULL,"
	"	handle TEXT NOT NULL DEFAULT '',"
	"	until {integer} NOT NULL,"
	"	next_at {integer} NOT NULL DEFAULT 0,"
	"	pending_at {integer},"
	"	added_at {integer} NOT NULL,"
	"	updated_at {integer} NOT NULL,"
	"	request {blob} NOT NULL,"
	"	key {blob} NOT NULL,"
	"	UNIQUE (user_uuid, usage, device_uuid)"
	"){};";

static const char version_8[] =
	/*
	 * CAs that judge no request: see barred.h. inputs: what they were asked with. run: that of
	 * the latest try, if it was one that does not wait.
	 */
	"CREATE TABLE barred ("
	"	ca TEXT NOT NULL,"
	"	inputs TEXT NOT NULL,"
	"	since {integer} NOT NULL,"
	"	tried_at {integer} NOT NULL,"
	"	until {integer} NOT NULL,"
	"	tries {integer} NOT NULL,"
	"	run TEXT NOT NULL,"
	"	cause TEXT NOT NULL,"
	"	PRIMARY KEY (ca, inputs)"
	"){by key};";

static const char version_9[] =
	/*
	 * misread: how many answers in a row were not understood, tried with misread_with.
	 * misread_run: the run by hand that last began to count anew.
	 */
	"ALTER TABLE request ADD COLUMN misread {integer} NOT NULL DEFAULT 0;"
	"ALTER TABLE request ADD COLUMN misread_with TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE request ADD COLUMN misread_run TEXT NOT NULL DEFAULT '';";

static const char version_10[] =
	/* The process that holds the lease, see holder.h; '': there is none, or it is not known. */
	"ALTER TABLE lease ADD COLUMN holder TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE request ADD COLUMN holder TEXT NOT NULL DEFAULT '';";

static const char version_11[] =
	/* UEM's time of the event, never after received_at. */
	"ALTER TABLE event ADD COLUMN time {integer} NOT NULL DEFAULT 0;"
	"UPDATE event SET time = received_at;"
	"CREATE INDEX audit_conflict ON audit (at) WHERE action = 'address conflict';"

	/*
	 * Until here an enrollment wrote the device and the user's name before anybody knew whose
	 * it was: what a refused one has left is taken back, and a device is of its latest user
	 * alone.
	 */
	"UPDATE device SET state = 'unenrolled' WHERE state = 'enrolled'"
	"	AND NOT EXISTS (SELECT 1 FROM event AS v"
	"		WHERE v.device_uuid = device.device_uuid AND v.user_uuid = device.user_uuid"
	"		AND v.kind = 'enrolled' AND v.state IN ('pending', 'delivered'));"
	"UPDATE device SET state = 'unenrolled' WHERE state = 'enrolled'"
	"	AND EXISTS (SELECT 1 FROM device AS o"
	"		WHERE o.device_uuid = device.device_uuid AND o.user_uuid != "
	"device.user_uuid"
	"		AND o.state = 'enrolled' AND o.event_id > device.event_id);"
	"UPDATE \"user\" SET user_name = v.user_name"
	" FROM event AS v JOIN (SELECT max(id) AS id FROM event"
	"		WHERE kind = 'enrolled' AND state = 'delivered' AND user_name != ''"
	"		GROUP BY user_uuid) AS newest ON newest.id = v.id"
	" WHERE v.user_uuid = \"user\".user_uuid AND v.user_name != \"user\".user_name;";

static const char version_12[] =
	/*
	 * The MACs of rows that decide where keys go and what is revoked, see row_mac.c. kind
	 * and id: which row. audit_id: the trail's newest entry when it was written.
	 */
	"CREATE TABLE row_mac ("
	"	kind TEXT NOT NULL,"
	"	id TEXT NOT NULL,"
	"	audit_id {integer} NOT NULL,"
	"	mac {blob} NOT NULL,"
	"	PRIMARY KEY (kind, id)"
	"){by key};"
	"CREATE INDEX audit_revoked ON audit (serial) WHERE action = 'revoked';";

static const char version_13[] =
	/* Mailboxes are the same in either case. */
	"DROP INDEX credential_mail;"
	"CREATE INDEX credential_mail ON credential (lower(mail));"

	/* What is undone, in order: coalesce() lets a statement choose these, and not event_due. */
	"DROP INDEX event_undone;"
	"CREATE INDEX event_undone ON event (id)"
	"	WHERE coalesce(state, '') IN ('pending', 'failed');"
	"DROP INDEX upload_undone;"
	"CREATE INDEX upload_undone ON upload (device_uuid, user_uuid)"
	"	WHERE coalesce(state, '') IN ('pending', 'failed');"

	/* The same for what ends, and not credential_expiry. */
	"DROP INDEX credential_renewal;"
	"CREATE INDEX credential_renewal ON credential (user_uuid, not_after)"
	"	WHERE coalesce(state, '') = 'active';";

static const char version_14[] =
	/* A change of address is a kind of its own; until here it was called enrolled. */
	"ALTER TABLE event ADD COLUMN kind_14 TEXT NOT NULL DEFAULT 'enrolled'"
	"	CHECK (kind_14 IN ('enrolled', 'unenrolled', 'address changed'));"
	"UPDATE event SET kind_14 = kind WHERE kind != 'enrolled';"
	"ALTER TABLE event DROP COLUMN kind;"
	"ALTER TABLE event RENAME COLUMN kind_14 TO kind;";

static const char version_15[] =
	/* When UEM last confirmed that a device is enrolled, and that user's. */
	"CREATE TABLE confirmation ("
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	at {integer} NOT NULL,"
	"	PRIMARY KEY (device_uuid, user_uuid)"
	"){by key};";

/* migrations[n] leads from version n to n + 1. */
static const char *const migrations[] = {version_1, version_2, version_3, version_4, version_5,
	version_6, version_7, version_8, version_9, version_10, version_11, version_12, version_13,
	version_14, version_15};

#define SCHEMA_VERSION ((int64_t)ARRAY_LEN(migrations))

static enum err check_version(const struct db *db, int64_t version, struct error *e)
{
	if (version >= 0 && version <= SCHEMA_VERSION)
		return ERR_OK;
	return error_set(e, ERR_CONFIG,
		"%s is of a newer version (schema %lld) than this program (%lld): update the "
		"program",
		db_name(db), (long long)version, (long long)SCHEMA_VERSION);
}

/* Another process may have been quicker: what holds is the version in our turn. */
static enum err migrate_once(struct db *db, int64_t *version, struct error *e)
{
	enum err err;

	do {
		err = db_begin(db, e);
		if (!err)
			err = db_version(db, version, e);
		if (!err)
			err = check_version(db, *version, e);
		if (!err && *version < SCHEMA_VERSION) {
			err = db_set_version(db, migrations[*version], *version + 1, e);
			++*version;
		}
	} while (db_end(db, &err, e));
	return err ? error_context(e, "update of the schema to version %lld", (long long)*version)
		   : ERR_OK;
}

enum err schema_migrate(struct db *db, struct error *e)
{
	int64_t version = 0;
	enum err err = db_version(db, &version, e);

	if (!err)
		err = check_version(db, version, e);
	while (!err && version < SCHEMA_VERSION)
		err = migrate_once(db, &version, e);
	return err;
}

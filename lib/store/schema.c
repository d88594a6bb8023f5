#include "store/sqlite.h"

/*
 * The schema, as steps from one version to the next. A step that has been
 * released is never changed again. The header of the file tells that it
 * is ours (application_id) and its version (user_version); see the PRAGMAs.
 *
 * Big values come last in a row: SQLite reads a row from its start and leaves
 * the pages behind it alone.
 */

#define APPLICATION_ID 0x43505256 /* "CPRV" */

static const char version_1[] =
	"PRAGMA application_id = 0x43505256;"
	"PRAGMA user_version = 1;"

	"CREATE TABLE meta ("
	"	name TEXT NOT NULL PRIMARY KEY,"
	"	value BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE user ("
	"	user_uuid TEXT NOT NULL PRIMARY KEY CHECK (user_uuid != ''),"
	"	user_name TEXT NOT NULL,"
	"	mail TEXT NOT NULL,"
	"	added_at INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE event ("
	"	id INTEGER PRIMARY KEY,"
	"	state TEXT NOT NULL"
	"		CHECK (state IN ('pending', 'delivered', 'recorded', 'failed')),"
	"	tries INTEGER NOT NULL DEFAULT 0,"
	"	next_at INTEGER CHECK ((next_at IS NOT NULL) = (state = 'pending')),"
	"	received_at INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL,"
	"	request_id TEXT NOT NULL,"
	"	kind TEXT NOT NULL CHECK (kind IN ('enrolled', 'unenrolled')),"
	"	event_type TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	user_name TEXT NOT NULL,"
	"	device_name TEXT NOT NULL,"
	"	platform TEXT NOT NULL,"
	"	cause TEXT NOT NULL DEFAULT '',"
	"	payload BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX event_due ON event (state, next_at);"
	"CREATE INDEX event_open ON event (device_uuid, user_uuid)"
	"	WHERE state IN ('pending', 'failed');"

	/*
	 * A device that several users enrolled, one after the other, has a row for each.
	 * event_id: its latest enrollment.
	 */
	"CREATE TABLE device ("
	"	device_uuid TEXT NOT NULL CHECK (device_uuid != ''),"
	"	user_uuid TEXT NOT NULL REFERENCES user,"
	"	state TEXT NOT NULL CHECK (state IN ('enrolled', 'unenrolled')),"
	"	device_name TEXT NOT NULL,"
	"	platform TEXT NOT NULL,"
	"	event_id INTEGER NOT NULL REFERENCES event,"
	"	enrolled_at INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL,"
	"	PRIMARY KEY (device_uuid, user_uuid)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX device_user ON device (user_uuid, state);"

	/* device_uuid '': the user's. key: sealed PKCS#8. */
	"CREATE TABLE credential ("
	"	id INTEGER PRIMARY KEY,"
	"	usage TEXT NOT NULL CHECK (usage IN ('signing', 'encryption')),"
	"	state TEXT NOT NULL CHECK (state IN ('active', 'archived', 'revoked')),"
	"	user_uuid TEXT NOT NULL REFERENCES user,"
	"	device_uuid TEXT NOT NULL CHECK (device_uuid = '' OR usage = 'signing'),"
	"	mail TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	subject TEXT NOT NULL,"
	"	issuer TEXT NOT NULL,"
	"	not_before INTEGER NOT NULL,"
	"	not_after INTEGER NOT NULL,"
	"	added_at INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL,"
	"	chain BLOB NOT NULL,"
	"	key BLOB NOT NULL,"
	"	UNIQUE (serial, issuer)"
	") STRICT;"
	"CREATE UNIQUE INDEX credential_active ON credential (user_uuid, usage, device_uuid)"
	"	WHERE state = 'active';"
	"CREATE INDEX credential_user ON credential (user_uuid, not_before);"
	"CREATE INDEX credential_expiry ON credential (state, not_after, usage);"

	"CREATE TABLE upload ("
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	gateway TEXT NOT NULL,"
	"	state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),"
	"	tries INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL,"
	"	delivered_at INTEGER," /* the last time that it was; NULL: never yet */
	"	cause TEXT NOT NULL,"
	"	contents TEXT NOT NULL,"
	"	PRIMARY KEY (device_uuid, user_uuid, gateway),"
	"	FOREIGN KEY (device_uuid, user_uuid) REFERENCES device"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX upload_state ON upload (state, updated_at);";

static const char version_2[] =
	"PRAGMA user_version = 2;"

	/*
	 * Leases of processes. event_id 0: no event, but the credentials that the device has
	 * already. claimed 0: the event came in just now.
	 */
	"CREATE TABLE lease ("
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	event_id INTEGER NOT NULL,"
	"	until INTEGER NOT NULL,"
	"	claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),"
	"	PRIMARY KEY (device_uuid, user_uuid, event_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX event_undone ON event (id) WHERE state IN ('pending', 'failed');";

static const char version_3[] =
	"PRAGMA user_version = 3;"

	/* Narrow, so that a list of very many is read fast: a credential's row has its key. */
	"CREATE TABLE revocation ("
	"	credential_id INTEGER PRIMARY KEY REFERENCES credential,"
	"	issuer TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	not_after INTEGER NOT NULL,"
	"	revoked_at INTEGER NOT NULL,"
	"	reason TEXT NOT NULL CHECK (reason IN ('unspecified', 'keyCompromise',"
	"		'cACompromise', 'affiliationChanged', 'superseded',"
	"		'cessationOfOperation', 'privilegeWithdrawn', 'aACompromise'))"
	") STRICT;"
	"CREATE INDEX revocation_issuer ON revocation (issuer, not_after);"

	/*
	 * The list that is out, for each issuer. number: the highest that was given away.
	 * authority: which certificate signed it; covers: how many of the issuer's were revoked
	 * then.
	 */
	"CREATE TABLE crl ("
	"	issuer TEXT NOT NULL PRIMARY KEY,"
	"	number INTEGER NOT NULL,"
	"	published INTEGER NOT NULL DEFAULT 0,"
	"	authority TEXT NOT NULL DEFAULT '',"
	"	covers INTEGER NOT NULL DEFAULT 0,"
	"	this_update INTEGER NOT NULL DEFAULT 0,"
	"	next_update INTEGER NOT NULL DEFAULT 0,"
	"	list BLOB"
	") STRICT;"
	"CREATE INDEX credential_device ON credential (device_uuid, state)"
	"	WHERE device_uuid != '';";

static const char version_4[] =
	"PRAGMA user_version = 4;"

	/* Each entry is chained to the one before by its MAC; see audit.h. */
	"CREATE TABLE audit ("
	"	id INTEGER PRIMARY KEY,"
	"	at INTEGER NOT NULL,"
	"	action TEXT NOT NULL,"
	"	request_id TEXT NOT NULL,"
	"	actor TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL,"
	"	user_uuid TEXT NOT NULL,"
	"	serial TEXT NOT NULL,"
	"	detail TEXT NOT NULL,"
	"	mac BLOB NOT NULL"
	") STRICT;"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	" BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;"
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	" BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;"

	/*
	 * inputs: what a failed one was tried with. wanted: the newest credential that the device
	 * shall have. left_out: how many earlier ones were too many.
	 */
	"ALTER TABLE event ADD COLUMN inputs TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE upload ADD COLUMN next_at INTEGER;"
	"ALTER TABLE upload ADD COLUMN inputs TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE upload ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE upload ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;"
	"UPDATE upload SET next_at = updated_at WHERE state = 'pending';"
	"CREATE INDEX upload_undone ON upload (device_uuid, user_uuid)"
	"	WHERE state IN ('pending', 'failed');"
	"CREATE INDEX upload_left_out ON upload (device_uuid, user_uuid) WHERE left_out > 0;"
	"CREATE INDEX credential_renewal ON credential (user_uuid, not_after)"
	"	WHERE state = 'active';";

static const char version_5[] =
	"PRAGMA user_version = 5;"

	/*
	 * The device and user of an event, apart from its body: to look for one reads a tenth of
	 * the pages.
	 */
	"CREATE INDEX event_names ON event (device_uuid, user_uuid, user_name, device_name);"
	"CREATE INDEX audit_user ON audit (user_uuid) WHERE user_uuid != '';"
	"CREATE INDEX audit_device ON audit (device_uuid) WHERE device_uuid != '';";

static const char version_6[] =
	"PRAGMA user_version = 6;"

	/* The time of the latest event that brought the address; 0: not known. */
	"ALTER TABLE user ADD COLUMN mail_time INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX credential_mail ON credential (mail COLLATE NOCASE);";

static const char version_7[] =
	"PRAGMA user_version = 7;"

	/*
	 * until: of a lease. pending_at: when the CA first said that it has not decided yet. key:
	 * sealed PKCS#8.
	 */
	"CREATE TABLE request ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	usage TEXT NOT NULL CHECK (usage IN ('signing', 'encryption')),"
	"	user_uuid TEXT NOT NULL,"
	"	device_uuid TEXT NOT NULL CHECK (device_uuid = '' OR usage = 'signing'),"
	"	terms TEXT NOT NULL,"
	"	handle TEXT NOT NULL DEFAULT '',"
	"	until INTEGER NOT NULL,"
	"	next_at INTEGER NOT NULL DEFAULT 0,"
	"	pending_at INTEGER,"
	"	added_at INTEGER NOT NULL,"
	"	updated_at INTEGER NOT NULL,"
	"	request BLOB NOT NULL,"
	"	key BLOB NOT NULL,"
	"	UNIQUE (user_uuid, usage, device_uuid)"
	") STRICT;";

static const char version_8[] =
	"PRAGMA user_version = 8;"

	/*
	 * CAs that judge no request: see access.h. inputs: what they were asked with. run: that of
	 * the latest try, if it was one that does not wait.
	 */
	"CREATE TABLE barred ("
	"	ca TEXT NOT NULL,"
	"	inputs TEXT NOT NULL,"
	"	since INTEGER NOT NULL,"
	"	tried_at INTEGER NOT NULL,"
	"	until INTEGER NOT NULL,"
	"	tries INTEGER NOT NULL,"
	"	run TEXT NOT NULL,"
	"	cause TEXT NOT NULL,"
	"	PRIMARY KEY (ca, inputs)"
	") STRICT, WITHOUT ROWID;";

static const char version_9[] =
	"PRAGMA user_version = 9;"

	/*
	 * misread: how many answers in a row were not understood, tried with misread_with.
	 * misread_run: the run by hand that last began to count anew.
	 */
	"ALTER TABLE request ADD COLUMN misread INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE request ADD COLUMN misread_with TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE request ADD COLUMN misread_run TEXT NOT NULL DEFAULT '';";

static const char version_10[] =
	"PRAGMA user_version = 10;"

	/* The process that holds the lease, see holder.h; '': there is none, or it is not known. */
	"ALTER TABLE lease ADD COLUMN holder TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE request ADD COLUMN holder TEXT NOT NULL DEFAULT '';";

static const char version_11[] =
	"PRAGMA user_version = 11;"

	/* UEM's time of the event, never after received_at. */
	"ALTER TABLE event ADD COLUMN time INTEGER NOT NULL DEFAULT 0;"
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
	"UPDATE user SET user_name = v.user_name"
	" FROM (SELECT user_uuid, user_name, max(id) FROM event"
	"	WHERE kind = 'enrolled' AND state = 'delivered' AND user_name != ''"
	"	GROUP BY user_uuid) AS v"
	" WHERE v.user_uuid = user.user_uuid AND v.user_name != user.user_name;";

static const char version_12[] =
	"PRAGMA user_version = 12;"

	/*
	 * The MACs of rows that decide where keys go and what is revoked, see sqlite_row.c. kind
	 * and id: which row. audit_id: the trail's newest entry when it was written.
	 */
	"CREATE TABLE row_mac ("
	"	kind TEXT NOT NULL,"
	"	id TEXT NOT NULL,"
	"	audit_id INTEGER NOT NULL,"
	"	mac BLOB NOT NULL,"
	"	PRIMARY KEY (kind, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX audit_revoked ON audit (serial) WHERE action = 'revoked';";

/* migrations[n] leads from version n to n + 1. */
static const char *const migrations[] = {version_1, version_2, version_3, version_4, version_5,
	version_6, version_7, version_8, version_9, version_10, version_11, version_12};

#define SCHEMA_VERSION ((int64_t)ARRAY_LEN(migrations))

static enum err read_version(struct sqlite *db, int64_t *out, struct error *e)
{
	return sqlite_integer(db, "PRAGMA user_version", NULL, 0, 0, out, e);
}

static enum err check_version(const struct sqlite *db, int64_t version, struct error *e)
{
	if (version >= 0 && version <= SCHEMA_VERSION)
		return ERR_OK;
	return error_set(e, ERR_CONFIG,
		"%s is of a newer version (schema %lld) than this program (%lld): update the "
		"program",
		db->path, (long long)version, (long long)SCHEMA_VERSION);
}

enum err sqlite_identify(struct sqlite *db, struct error *e)
{
	int64_t id = 0, version = 0;
	enum err err = sqlite_integer(db, "PRAGMA application_id", NULL, 0, 0, &id, e);

	if (!err)
		err = read_version(db, &version, e);
	if (err)
		return err;
	if (id != APPLICATION_ID || version == 0)
		return error_set(e, ERR_CONFIG,
			"%s is no certprov store, or its set-up was never finished: name the "
			"right file as [store] url, or move this one away and run: certprov init",
			db->path);
	return check_version(db, version, e);
}

/* Another process may have been quicker: what holds is the version under the lock. */
static enum err migrate_once(struct sqlite *db, int64_t *version, struct error *e)
{
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = read_version(db, version, e);
	if (!err)
		err = check_version(db, *version, e);
	if (!err && *version < SCHEMA_VERSION) {
		if (sqlite3_exec(db->db, migrations[*version], NULL, NULL, NULL))
			err = sqlite_error(db, e);
		++*version;
	}
	err = sqlite_end(db, err, e);
	return err ? error_context(e, "update of the schema to version %lld", (long long)*version)
		   : ERR_OK;
}

enum err sqlite_migrate(struct sqlite *db, struct error *e)
{
	int64_t version = 0;
	enum err err = read_version(db, &version, e);

	while (!err && version < SCHEMA_VERSION)
		err = migrate_once(db, &version, e);
	return err;
}

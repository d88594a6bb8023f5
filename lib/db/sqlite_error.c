/* What a failure of SQLite means: our error, with the cause that SQLite does not name. */
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Busy, full or out of reach: the same again may work later. */
static bool may_pass(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return true;
	default:
		return false;
	}
}

/* The access that the folder gives us to the files that SQLite keeps beside the store. */
static const char *folder_fault(const struct sqlite *sqlite, char folder[PATH_MAX])
{
	const char *slash = strrchr(sqlite->path, '/');
	int len = slash ? (int)(slash - sqlite->path) : 1;

	snprintf(folder, PATH_MAX, "%.*s", len ? len : 1, slash ? sqlite->path : ".");
	if (access(folder, F_OK) < 0)
		return errno == EACCES ? "a folder above it is closed to this user: chmod +x that"
				       : "the folder is not there: is its file system mounted?";
	if (access(folder, W_OK | X_OK) < 0)
		return errno == EROFS
			       ? "its file system is mounted read-only: remount it"
			       : "this user cannot write in the folder, where SQLite keeps "
				 "a -wal and a -shm file beside it: chown or chmod the folder";
	return NULL;
}

/* The store, or a file beside it, that is closed to us: as root's are where root opened it first.
 */
static bool find_closed(const struct sqlite *sqlite, char path[PATH_MAX], uid_t *owner)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(path, PATH_MAX, "%s%s", sqlite->path, suffixes[i]);
		if (stat(path, &st) < 0 || access(path, R_OK | W_OK) == 0)
			continue;
		*owner = st.st_uid;
		return true;
	}
	return false;
}

static bool has_descriptor(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* SQLITE_CANTOPEN says nothing but its number 14; what it met is looked for afterwards. */
static enum err cannot_open(struct sqlite *sqlite, const char *text, struct error *e)
{
	int cause = sqlite3_system_errno(sqlite->handle);
	char path[PATH_MAX];
	const char *fault;
	uid_t owner = 0;

	if (cause == EMFILE || cause == ENFILE || !has_descriptor())
		return error_set(e, ERR_UNAVAILABLE,
			"%s: no file descriptor is left for it: raise LimitNOFILE= of the unit, or "
			"ulimit -n (SQLite error 14)",
			sqlite->path);
	if (find_closed(sqlite, path, &owner))
		return error_set(e, ERR_UNAVAILABLE,
			"%s belongs to user %u, and user %u must be able to read and write it: "
			"chown it",
			path, (unsigned)owner, (unsigned)geteuid());
	fault = folder_fault(sqlite, path);
	if (fault)
		return error_set(e, ERR_UNAVAILABLE, "%s cannot be opened by user %u: %s: %s",
			sqlite->path, (unsigned)geteuid(), path, fault);
	return error_set(e, ERR_UNAVAILABLE,
		"%s cannot be opened by user %u (%s): it, its -wal and its -shm file must be "
		"regular "
		"files",
		sqlite->path, (unsigned)geteuid(), cause ? strerror(cause) : text);
}

enum err sqlite_failure(struct sqlite *sqlite, struct error *e)
{
	int code = sqlite3_extended_errcode(sqlite->handle);
	const char *text = sqlite3_errmsg(sqlite->handle);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return error_memory(e);
	case SQLITE_NOTADB:
		return error_set(e, ERR_CONFIG,
			"%s is no certprov store (%s): name the right file as [store] url",
			sqlite->path, text);
	case SQLITE_CORRUPT:
		return error_set(e, ERR_CONFIG, "%s is damaged; restore it from a backup: %s",
			sqlite->path, text);
	case SQLITE_CANTOPEN:
		return cannot_open(sqlite, text, e);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return error_set(e, ERR_CONFIG,
			"%s: user %u must be able to write the file and its folder: %s",
			sqlite->path, (unsigned)geteuid(), text);
	default:
		return error_set(e, may_pass(code) ? ERR_UNAVAILABLE : ERR_INTERNAL,
			"%s: %s (SQLite error %d)", sqlite->path, text, code);
	}
}

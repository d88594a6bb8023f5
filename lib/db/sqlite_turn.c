/* The writer's turn of the SQLite driver: a lock file that serves fairness among processes. */
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/*
 * SQLite lets writers that meet wait by polling with growing pauses, and then some starve for
 * seconds. So a writer takes our lock first. With one lock alone the process that has just written
 * would take it again before a waiting one has woken up; so there are two, a door and a desk: the
 * process that has got through the door waits for the desk alone, while all others, the last writer
 * too, wait at the door.
 *
 * This serves fairness only: SQLite's own locks guard the data, should somebody delete the file. It
 * lies beside the database, because to open and close the database file itself would drop the locks
 * that SQLite has on it. The locks belong to the open file (fcntl(2), "open file description
 * locks"), so the kernel drops them with a process, however that ends.
 */
#define SUFFIX ".lock"
#define DOOR 0
#define DESK 1
#define RESERVED 2 /* no turn at the desk: db_reserve() */
#define WAIT_MS 10000
#define PAUSE_DOOR_NS 300000
#define PAUSE_DESK_NS 50000

static enum err no_descriptor(const char *path, struct error *e)
{
	return error_errno(
		e, ERR_UNAVAILABLE, "%s: raise LimitNOFILE= of the unit, or ulimit -n", path);
}

/*
 * Root may be the first to need the lock file. We then give it to the owner of the database. We
 * chown only a file that we created ourselves: if the owner had put a link there, root would give
 * them the file it points to.
 */
static enum err make(const char *path, const struct stat *database, int *out, struct error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		return no_descriptor(path, e);
	if (fd < 0)
		return error_errno(e, errno == EEXIST ? ERR_NOT_FOUND : ERR_CONFIG,
			"%s: user %u must be able to write in its folder (chown, chmod)", path,
			(unsigned)geteuid());
	if (geteuid() == 0 && fchown(fd, database->st_uid, database->st_gid) < 0) {
		error_errno(e, ERR_CONFIG, "%s: chown", path);
		close(fd);
		return e->code;
	}
	*out = fd;
	return ERR_OK;
}

static enum err open_made(const char *path, int *out, struct error *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_errno(e, ERR_CONFIG, "%s: user %u must be able to write it (chown, chmod)",
			path, (unsigned)geteuid());
	} else if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
		error_set(e, ERR_CONFIG,
			"%s is no file of its own, but a link to another one: remove it", path);
	} else {
		*out = fd;
		return ERR_OK;
	}
	if (fd >= 0)
		close(fd);
	return e->code;
}

enum err sqlite_turn_open(struct sqlite *sqlite, const struct stat *database, struct error *e)
{
	char *path = NULL;
	enum err err;

	if (asprintf(&path, "%s" SUFFIX, sqlite->path) < 0)
		return error_memory(e);
	err = make(path, database, &sqlite->lock, e);
	if (err == ERR_NOT_FOUND)
		err = open_made(path, &sqlite->lock, e);
	free(path);
	return err;
}

void sqlite_turn_remove(const char *database)
{
	char *path = NULL;

	if (asprintf(&path, "%s" SUFFIX, database) < 0)
		return;
	unlink(path);
	free(path);
}

static int set_lock(const struct sqlite *sqlite, short type, off_t which)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

	return fcntl(sqlite->lock, F_OFD_SETLK, &lock);
}

static enum err wait_for(
	struct sqlite *sqlite, off_t which, long pause_ns, int64_t deadline, struct error *e)
{
	const struct timespec pause = {0, pause_ns};

	while (set_lock(sqlite, F_WRLCK, which) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return error_errno(e, ERR_UNAVAILABLE, "%s" SUFFIX, sqlite->path);
		if (clock_monotonic_ms() >= deadline)
			return error_set(e, ERR_UNAVAILABLE,
				"%s: no turn to write within %d seconds", sqlite->path,
				WAIT_MS / 1000);
		nanosleep(&pause, NULL);
	}
	return ERR_OK;
}

enum err sqlite_turn_take(struct sqlite *sqlite, struct error *e)
{
	int64_t deadline = clock_monotonic_ms() + WAIT_MS;
	enum err err = wait_for(sqlite, DOOR, PAUSE_DOOR_NS, deadline, e);

	if (err)
		return err;
	err = wait_for(sqlite, DESK, PAUSE_DESK_NS, deadline, e);
	set_lock(sqlite, F_UNLCK, DOOR);
	return err;
}

void sqlite_turn_release(struct sqlite *sqlite)
{
	set_lock(sqlite, F_UNLCK, DESK);
}

enum err sqlite_turn_reserve(struct db *db, bool *ours, struct error *e)
{
	struct sqlite *sqlite = (struct sqlite *)db;

	*ours = set_lock(sqlite, F_WRLCK, RESERVED) == 0;
	if (!*ours && errno != EAGAIN && errno != EACCES)
		return error_errno(e, ERR_UNAVAILABLE, "%s" SUFFIX, sqlite->path);
	return ERR_OK;
}

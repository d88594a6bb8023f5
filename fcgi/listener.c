/* The listening socket: made by us, or inherited from systemd or spawn-fcgi. */
#include "fcgi/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define BACKLOG 4096 /* as in the unit for systemd; net.core.somaxconn may make it less */
#define LOCK_SUFFIX ".lock"
#define LOCK_WAIT_MS 10000
#define LOCK_LOOK_MS 10
#define NO_GROUP_EXECUTE_NO_OTHERS 0117 /* umask of mode 0660 */

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool answers(const struct sockaddr_un *address)
{
	int fd = new_socket();
	bool refused = fd >= 0 &&
		       connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		       (errno == ECONNREFUSED || errno == ENOENT);

	if (fd >= 0)
		close(fd);
	return !refused;
}

static enum err remove_stale(const struct sockaddr_un *address, struct error *e)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? ERR_OK : error_errno(e, ERR_CONFIG, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERR_CONFIG,
			"%s exists and is not a socket; remove it, or name another place with -s",
			path);
	if (answers(address))
		return error_set(e, ERR_UNAVAILABLE,
			"%s is in use: another process serves this socket or is finishing its "
			"requests; stop it first",
			path);
	if (unlink(path) < 0)
		return error_errno(e, ERR_CONFIG, "%s: cannot remove the stale socket", path);
	return ERR_OK;
}

/* Is fd still the file of that name? */
static bool is_at(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

static bool take_lock(int fd, int64_t deadline)
{
	const struct timespec pause = {.tv_nsec = LOCK_LOOK_MS * 1000000L};

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_monotonic_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/*
 * Keeps other processes from making this socket until ours listens. The lock is on a file of mode
 * 0600: a lock on the folder could be taken by everybody who can read the folder. -1: failed.
 */
static int lock_start(const char *lock)
{
	int64_t deadline = clock_monotonic_ms() + LOCK_WAIT_MS;

	for (;;) {
		int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

		if (fd < 0)
			return -1;
		if (take_lock(fd, deadline) && is_at(fd, lock))
			return fd;
		close(fd); /* its owner removed it meanwhile, or still holds it */
		if (clock_monotonic_ms() >= deadline) {
			errno = EWOULDBLOCK;
			return -1;
		}
	}
}

static enum err bind_and_listen(
	int fd, const struct sockaddr_un *address, struct listener *listener, struct error *e)
{
	mode_t saved = umask(NO_GROUP_EXECUTE_NO_OTHERS);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	struct stat st;

	umask(saved);
	if (rc < 0)
		return error_errno(
			e, ERR_CONFIG, "%s: cannot create the socket", address->sun_path);
	if (lstat(address->sun_path, &st) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(e, ERR_CONFIG, "%s", address->sun_path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return ERR_OK;
}

enum err listener_open(const char *path, struct listener *out, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct listener listener = {.fd = -1, .path = path};
	char lock[sizeof(address.sun_path) + sizeof(LOCK_SUFFIX)];
	int locked = -1;
	enum err err = ERR_OK;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return error_set(e, ERR_CONFIG, "%s: the path of a socket must have 1 to %zu bytes",
			path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	snprintf(lock, sizeof(lock), "%s" LOCK_SUFFIX, path);
	locked = lock_start(lock);
	if (locked < 0)
		return error_errno(e, ERR_CONFIG, "%s: cannot create and lock it", lock);
	listener.fd = new_socket();
	if (listener.fd < 0)
		err = error_errno(e, ERR_INTERNAL, "socket");
	if (!err)
		err = remove_stale(&address, e);
	if (!err)
		err = bind_and_listen(listener.fd, &address, &listener, e);
	if (!err)
		*out = listener;
	else if (listener.fd >= 0)
		close(listener.fd);
	unlink(lock);
	close(locked);
	return err;
}

bool listener_is_inherited(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
	       listening;
}

enum err listener_inherit(struct listener *out, struct error *e)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	enum err err = ERR_OK;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || null < 0 ||
		dup2(null, STDIN_FILENO) < 0)
		err = error_errno(e, ERR_INTERNAL, "the inherited socket");
	else
		*out = (struct listener){.fd = fd};
	if (null > STDERR_FILENO)
		close(null);
	if (err && fd >= 0)
		close(fd);
	return err;
}

void listener_remove(struct listener *listener)
{
	struct stat st;

	if (listener->path && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
		st.st_ino == listener->inode)
		unlink(listener->path);
	listener->path = NULL;
}

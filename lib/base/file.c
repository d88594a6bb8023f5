/* Reads and writes whole files, secret ones with their owner and mode checked. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* some editors put it before the first line */

/* Why a file cannot be opened, and what to do about it. */
static enum err cannot_open(const char *path, struct error *e)
{
	switch (errno) {
	case ENOENT:
		return error_set(e, ERR_CONFIG,
			"%s: No such file or directory: put it there, or correct its name", path);
	case EACCES:
		return error_set(e, ERR_CONFIG,
			"%s: Permission denied: let user %u read it and enter its folder (chown, "
			"chgrp, chmod)",
			path, (unsigned)geteuid());
	default:
		return error_errno(e, ERR_CONFIG, "%s", path);
	}
}

static enum err check_secret_mode(const char *path, const struct stat *st, struct error *e)
{
	/* root may use files of the user that the service runs as */
	if (geteuid() != 0 && st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(e, ERR_CONFIG,
			"%s belongs to user %u; it must belong to root or to user %u, which runs "
			"this program: chown it",
			path, (unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
		return error_set(e, ERR_CONFIG,
			"%s has mode %04o; a secret must not be open to others: chmod 0600 or 0640",
			path, (unsigned)(st->st_mode & 07777));
	return ERR_OK;
}

static enum err read_all(int fd, const char *path, size_t size, struct blob *out, struct error *e)
{
	struct blob content = {malloc(size + 1), 0};
	enum err err = ERR_OK;

	if (!content.data)
		return error_memory(e);
	while (content.len < size) {
		ssize_t n = read(fd, content.data + content.len, size - content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = error_errno(e, ERR_CONFIG, "%s", path);
		if (n <= 0)
			break;
		content.len += (size_t)n;
	}
	if (err) {
		blob_free(&content);
		return err;
	}
	content.data[content.len] = '\0';
	*out = content;
	return ERR_OK;
}

static enum err read_file(const char *path, bool secret, struct blob *out, struct error *e)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (secret ? O_NOFOLLOW : 0);
	int fd = open(path, flags);
	struct stat st;
	enum err err = ERR_OK;

	if (fd < 0 && secret && errno == ELOOP)
		return error_set(
			e, ERR_CONFIG, "%s is a symbolic link; name the file itself", path);
	if (fd < 0)
		return cannot_open(path, e);
	if (fstat(fd, &st) < 0)
		err = error_errno(e, ERR_CONFIG, "%s", path);
	else if (!S_ISREG(st.st_mode))
		err = error_set(e, ERR_CONFIG, "%s is not a regular file", path);
	else if (st.st_size > FILE_SIZE_MAX)
		err = error_set(e, ERR_CONFIG, "%s is larger than %d bytes", path, FILE_SIZE_MAX);
	else if (secret)
		err = check_secret_mode(path, &st, e);
	if (!err)
		err = read_all(fd, path, (size_t)st.st_size, out, e);
	close(fd);
	return err;
}

enum err file_read(const char *path, struct blob *out, struct error *e)
{
	return read_file(path, false, out, e);
}

enum err file_read_secret(const char *path, struct blob *out, struct error *e)
{
	return read_file(path, true, out, e);
}

enum err file_read_password(const char *path, struct blob *out, struct error *e)
{
	struct blob content = {NULL, 0};
	enum err err = file_read_secret(path, &content, e);
	const char *line;
	size_t len;

	if (err)
		return err;
	line = (char *)content.data;
	if (strncmp(line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		line += strlen(BYTE_ORDER_MARK);
	len = strcspn(line, "\r\n");
	if (strlen((char *)content.data) < content.len && !line[len])
		err = error_set(e, ERR_CONFIG, "%s: not a text file", path);
	else if (len == 0)
		err = error_set(e, ERR_CONFIG, "%s: its first line must hold a password", path);
	else
		err = blob_copy(line, len, out, e);
	blob_free(&content);
	return err;
}

static enum err sync_directory(const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum err err = ERR_OK;

	if (fd < 0 || fsync(fd) < 0)
		err = error_errno(e, ERR_CONFIG, "%s: its folder", path);
	if (fd >= 0)
		close(fd);
	free(dir);
	return err;
}

bool file_write(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Mode and content are on the disk when it returns. */
static enum err write_durably(
	int fd, const char *path, unsigned mode, const void *data, size_t len, struct error *e)
{
	/* the mode despite the umask */
	if (fchmod(fd, mode) < 0 || !file_write(fd, data, len) || fsync(fd) < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	return ERR_OK;
}

enum err file_create(const char *path, unsigned mode, const void *data, size_t len, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	enum err err;

	if (fd < 0 && errno == EEXIST)
		return error_set(
			e, ERR_CONFIG, "%s is there already; it is never overwritten", path);
	if (fd < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	err = write_durably(fd, path, mode, data, len, e);
	close(fd);
	if (!err)
		err = sync_directory(path, e);
	if (err)
		unlink(path);
	return err;
}

/* Closes fd, the temporary file. It is then at path, or removed. */
static enum err put_in_place(int fd, const char *temporary, const char *path, unsigned mode,
	const void *data, size_t len, struct error *e)
{
	enum err err = write_durably(fd, path, mode, data, len, e);

	close(fd);
	if (!err && rename(temporary, path) < 0)
		err = error_errno(e, ERR_CONFIG, "%s", path);
	if (!err)
		return sync_directory(path, e);
	unlink(temporary);
	return err;
}

enum err file_replace(
	const char *path, unsigned mode, const void *data, size_t len, struct error *e)
{
	char *temporary = NULL;
	enum err err;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return error_memory(e);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = error_errno(e, ERR_CONFIG, "%s", path);
		goto out;
	}
	err = put_in_place(fd, temporary, path, mode, data, len, e);
out:
	free(temporary);
	return err;
}

/* Makes a new file that only we can read at first, then gives it the old one's owner and group. */
static enum err open_like(
	const char *temporary, const char *path, const struct stat *old, int *out, struct error *e)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(e, ERR_CONFIG,
			"%s: user %u must be able to write in the folder of %s", temporary,
			(unsigned)geteuid(), path);
	if (fchown(fd, old->st_uid, old->st_gid) < 0) {
		close(fd);
		unlink(temporary);
		return error_errno(e, ERR_CONFIG,
			"%s belongs to user %u and group %u; its new version must, too: run this as "
			"root or as that user",
			path, (unsigned)old->st_uid, (unsigned)old->st_gid);
	}
	*out = fd;
	return ERR_OK;
}

enum err file_replace_secret(const char *path, const void *data, size_t len, struct error *e)
{
	char *temporary = NULL;
	struct stat old;
	enum err err;
	int fd = -1;

	if (lstat(path, &old) < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	if (!S_ISREG(old.st_mode))
		return error_set(e, ERR_CONFIG, "%s is not a regular file", path);
	if (asprintf(&temporary, "%s.new", path) < 0)
		return error_memory(e);
	unlink(temporary); /* left by a killed process */
	err = open_like(temporary, path, &old, &fd, e);
	if (!err)
		err = put_in_place(fd, temporary, path, old.st_mode & 07777, data, len, e);
	free(temporary);
	return err;
}

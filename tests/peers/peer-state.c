#include "tests/peers/peer-state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/utf8.h"

void peer_path(const char *dir, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

int peer_lock(const char *dir, struct error *e)
{
	char path[PATH_MAX];
	int lock;

	peer_path(dir, "lock", path);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock >= 0 && flock(lock, LOCK_EX) == 0)
		return lock;
	(void)error_errno(e, ERR_INTERNAL, "%s", path);
	if (lock >= 0)
		close(lock);
	return -1;
}

enum err peer_write(int fd, const char *what, const char *data, size_t len, struct error *e)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return error_errno(e, ERR_INTERNAL, "%s", what);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? error_errno(e, ERR_INTERNAL, "%s", what) : ERR_OK;
}

bool peer_line(const char *dir, const char *name, bool keep, char line[PEER_LINE_MAX])
{
	char path[PATH_MAX], next[PATH_MAX + 8], rest[PEER_LINE_MAX];
	FILE *from, *to = NULL;
	bool found = false;

	peer_path(dir, name, path);
	from = fopen(path, "re");
	if (!from)
		return false;
	while (!found && fgets(line, PEER_LINE_MAX, from)) {
		line[strcspn(line, "\r\n")] = '\0';
		found = *text_trim(line) != '\0';
	}
	snprintf(next, sizeof(next), "%s.next", path);
	if (found && !keep)
		to = fopen(next, "we");
	if (to) {
		while (fgets(rest, sizeof(rest), from))
			fputs(rest, to);
		fclose(to);
		found = rename(next, path) == 0;
	}
	fclose(from);
	return found;
}

char *peer_word(char *line, char **rest)
{
	char *word = text_trim(line);
	size_t len = strcspn(word, " \t");

	*rest = text_trim(word + len);
	word[len] = '\0';
	return word;
}

void peer_log_begin(struct buf *line, int status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_printf(line, "{\"time\": %lld.%06ld, \"status\": %d", (long long)now.tv_sec,
		now.tv_nsec / 1000, status);
}

void peer_log_member(struct buf *line, const char *name, const char *value)
{
	buf_printf(line, ", \"%s\": ", name);
	buf_json_string(line, utf8_is_valid(value, strlen(value)) ? value : "(not UTF-8)");
}

enum err peer_log_end(struct buf *line, const char *dir, struct error *e)
{
	char path[PATH_MAX];
	enum err err;
	int fd;

	buf_puts(line, "}\n");
	peer_path(dir, "log", path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	err = fd < 0 ? error_errno(e, ERR_INTERNAL, "%s", path) : buf_check(line, e);
	if (!err)
		err = peer_write(fd, path, line->data, line->len, e);
	if (fd >= 0)
		close(fd);
	buf_free(line);
	return err;
}

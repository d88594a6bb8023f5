#include "tests/peers/escrow-state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/kinds.h"
#include "base/text.h"
#include "base/utf8.h"

#define LINE_MAX_LEN 1024
#define RECORD_MAX 99999

static const char *const deed_names[DEED_COUNT] = {
	[DEED_OK] = "ok",
	[DEED_STATUS] = "status",
	[DEED_FAIL] = "fail",
	[DEED_SLOW] = "slow",
	[DEED_HANG] = "hang",
	[DEED_LATE] = "late",
	[DEED_DROP] = "drop",
	[DEED_CUT] = "cut",
	[DEED_HUGE] = "huge",
	[DEED_GARBAGE] = "garbage",
};

static void path_in(const char *dir, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

static enum err write_all(int fd, const char *what, const char *data, size_t len, struct error *e)
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

/* --- orders */

static bool read_number(const char *s, double *out)
{
	char *end = NULL;
	double number = strtod(s, &end);

	if (end == s || *end || number < 0)
		return false;
	*out = number;
	return true;
}

/* "+7": the HTTP date in seven seconds. */
static void set_retry(const char *s, struct order *out)
{
	int64_t seconds = 0;
	struct tm tm;
	time_t at;

	if (*s != '+' || !text_number(s + 1, 86400, &seconds)) {
		snprintf(out->retry, sizeof(out->retry), "%s", s);
		return;
	}
	at = time(NULL) + (time_t)seconds;
	gmtime_r(&at, &tm);
	strftime(out->retry, sizeof(out->retry), "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Splits the first word off; *rest is what stands behind it. */
static char *first_word(char *line, char **rest)
{
	char *word = text_trim(line);
	size_t len = strcspn(word, " \t");

	*rest = text_trim(word + len);
	word[len] = '\0';
	return word;
}

/* How every Nth request fails. */
static bool read_failure(const char *word, struct order *order)
{
	int64_t status = 0;
	int how;

	if (text_number(word, 599, &status)) {
		order->status = (int)status;
		return status >= 200;
	}
	how = kind_find(deed_names, DEED_COUNT, word);
	order->how = how < 0 ? DEED_OK : (enum deed)how;
	return order->how == DEED_DROP || order->how == DEED_CUT || order->how == DEED_GARBAGE;
}

static bool read_order(char *line, struct order *out)
{
	char *rest = NULL, *word = first_word(line, &rest), *last = NULL;
	struct order order = {.status = 503, .how = DEED_STATUS};
	int64_t status = 0;
	int deed;

	if (text_number(word, 599, &status) && status >= 200) {
		order.deed = DEED_STATUS;
		order.status = (int)status;
		set_retry(rest, &order);
		*out = order;
		return true;
	}
	deed = kind_find(deed_names, DEED_COUNT, word);
	if (deed < 0 || deed == DEED_STATUS)
		return false;
	order.deed = (enum deed)deed;
	word = first_word(rest, &last);
	if (*word && !read_number(word, &order.number))
		return false;
	if (*last && !read_failure(last, &order))
		return false;
	*out = order;
	return true;
}

/* Every Nth: the count is in a file, for there are several processes. */
static enum err count_failure(const char *dir, struct order *order, struct error *e)
{
	char path[PATH_MAX], text[32] = "";
	long count = 0;
	FILE *f;

	path_in(dir, "count", path);
	f = fopen(path, "a+e");
	if (!f)
		return error_errno(e, ERR_INTERNAL, "%s", path);
	rewind(f);
	if (fgets(text, sizeof(text), f))
		count = strtol(text, NULL, 10);
	count++;
	if (ftruncate(fileno(f), 0) == 0)
		fprintf(f, "%ld\n", count);
	fclose(f);
	order->deed = order->number >= 1 && count % (long)order->number == 0 ? order->how : DEED_OK;
	return ERR_OK;
}

/* Takes the first line out of a file, or only reads it. False: there is none. */
static bool take_line(const char *path, bool keep, char line[LINE_MAX_LEN])
{
	char next[PATH_MAX + 8], rest[LINE_MAX_LEN];
	FILE *from = fopen(path, "re"), *to = NULL;
	bool found = false;

	if (!from)
		return false;
	while (!found && fgets(line, LINE_MAX_LEN, from)) {
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

static enum err locked_order(const char *dir, bool upload, struct order *out, struct error *e)
{
	char script[PATH_MAX], mode[PATH_MAX], line[LINE_MAX_LEN] = "", copy[LINE_MAX_LEN];

	path_in(dir, "script", script);
	path_in(dir, "mode", mode);
	if (!(upload && take_line(script, false, line)) && !take_line(mode, true, line))
		return ERR_OK;
	memcpy(copy, line, sizeof(copy));
	if (!read_order(copy, out))
		return error_set(
			e, ERR_INTERNAL, "the simulator does not know the order \"%s\"", line);
	return out->deed == DEED_FAIL ? count_failure(dir, out, e) : ERR_OK;
}

enum err state_next_order(const char *dir, bool upload, struct order *out, struct error *e)
{
	struct order order = {.deed = DEED_OK};
	char path[PATH_MAX];
	enum err err;
	int lock;

	path_in(dir, "lock", path);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		err = error_errno(e, ERR_INTERNAL, "%s", path);
	else
		err = locked_order(dir, upload, &order, e);
	if (lock >= 0)
		close(lock);
	if (!err)
		*out = order;
	return err;
}

/* --- records */

/* Gives the file the next free number. link() fails where a name is taken. */
static enum err number_file(
	const char *dir, const char *path, char out[RECORD_NAME_SIZE], struct error *e)
{
	static unsigned last;
	char name[RECORD_NAME_SIZE + 16], target[PATH_MAX];

	while (last < RECORD_MAX) {
		last++;
		snprintf(name, sizeof(name), "uploads/%04u.json", last);
		path_in(dir, name, target);
		if (link(path, target) == 0) {
			snprintf(out, RECORD_NAME_SIZE, "%04u", last);
			return ERR_OK;
		}
		if (errno != EEXIST)
			break;
	}
	return error_errno(e, ERR_INTERNAL, "%s", target);
}

static enum err sync_folder(const char *dir, const char *name, struct error *e)
{
	char path[PATH_MAX];
	enum err err = ERR_OK;
	int fd;

	path_in(dir, name, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		err = error_errno(e, ERR_INTERNAL, "%s", path);
	if (fd >= 0)
		close(fd);
	return err;
}

enum err state_record(
	const char *dir, const char *body, size_t len, char out[RECORD_NAME_SIZE], struct error *e)
{
	char path[PATH_MAX];
	enum err err;
	int fd;

	path_in(dir, "new-XXXXXX", path);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, ERR_INTERNAL, "%s", path);
	err = write_all(fd, path, body, len, e);
	close(fd);
	if (!err)
		err = number_file(dir, path, out, e);
	unlink(path);
	return err ? err : sync_folder(dir, "uploads", e);
}

/* --- log */

static void put_member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ", \"%s\": ", name);
	buf_json_string(b, utf8_is_valid(value, strlen(value)) ? value : "(not UTF-8)");
}

static void put_time(struct buf *b)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_printf(b, "{\"time\": %lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
}

enum err state_log(const char *dir, const struct log_entry *entry, struct error *e)
{
	struct buf line = BUF_INIT(16384);
	char path[PATH_MAX];
	enum err err;
	int fd;

	put_time(&line);
	buf_printf(&line, ", \"status\": %d", entry->status);
	put_member(&line, "method", entry->method);
	put_member(&line, "path", entry->path);
	put_member(&line, "client", entry->client);
	put_member(&line, "device", entry->upload->device_uuid);
	put_member(&line, "user", entry->upload->user_uuid);
	for (int part = 0; part < PART_COUNT; part++)
		buf_printf(&line, ", \"%s\": %u", part_names[part], entry->upload->counts[part]);
	put_member(&line, "upload", entry->record);
	put_member(&line, "text", entry->text);
	buf_puts(&line, "}\n");
	path_in(dir, "log", path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	err = fd < 0 ? error_errno(e, ERR_INTERNAL, "%s", path) : buf_check(&line, e);
	if (!err)
		err = write_all(fd, path, line.data, line.len, e);
	if (fd >= 0)
		close(fd);
	buf_free(&line);
	return err;
}

#include "tests/peers/escrow-state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/vocabulary.h"
#include "tests/peers/peer-fastcgi.h"
#include "tests/peers/peer-state.h"

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

/* How every Nth request fails. */
static bool read_failure(const char *word, struct order *order)
{
	int64_t status = 0;
	int how;

	if (text_number(word, 599, &status)) {
		order->status = (int)status;
		return status >= 200;
	}
	how = vocabulary_find(deed_names, DEED_COUNT, word);
	order->how = how < 0 ? DEED_OK : (enum deed)how;
	return order->how == DEED_DROP || order->how == DEED_CUT || order->how == DEED_GARBAGE;
}

static bool read_order(char *line, struct order *out)
{
	char *rest = NULL, *word = peer_word(line, &rest), *last = NULL;
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
	deed = vocabulary_find(deed_names, DEED_COUNT, word);
	if (deed < 0 || deed == DEED_STATUS)
		return false;
	order.deed = (enum deed)deed;
	word = peer_word(rest, &last);
	if (strcmp(word, "gate") == 0)
		order.number = GATE;
	else if (*word && !read_number(word, &order.number))
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

	peer_path(dir, "count", path);
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

static enum err locked_order(const char *dir, bool upload, struct order *out, struct error *e)
{
	char line[PEER_LINE_MAX] = "", copy[PEER_LINE_MAX];

	if (!(upload && peer_line(dir, "script", false, line)) &&
		!peer_line(dir, "mode", true, line))
		return ERR_OK;
	memcpy(copy, line, sizeof(copy));
	if (!read_order(copy, out))
		return error_set(
			e, ERR_INTERNAL, "the simulator does not know the order \"%s\"", line);
	return out->deed == DEED_FAIL ? count_failure(dir, out, e) : ERR_OK;
}

#define GATE_SECONDS 300 /* nobody waits longer */

void state_wait(const char *dir, const struct order *order)
{
	char held[PATH_MAX], opened[PATH_MAX];
	int fd;

	if (order->number != GATE) {
		peer_wait(order->number);
		return;
	}
	peer_path(dir, "held", held);
	peer_path(dir, "open", opened);
	fd = creat(held, 0600);
	if (fd >= 0)
		close(fd);
	for (int i = 0; i < GATE_SECONDS * 100 && access(opened, F_OK) < 0; i++)
		peer_wait(0.01);
}

enum err state_next_order(const char *dir, bool upload, struct order *out, struct error *e)
{
	struct order order = {.deed = DEED_OK};
	int lock = peer_lock(dir, e);
	enum err err;

	if (lock < 0)
		return ERR_INTERNAL;
	err = locked_order(dir, upload, &order, e);
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
		peer_path(dir, name, target);
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

	peer_path(dir, name, path);
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

	peer_path(dir, "new-XXXXXX", path);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, ERR_INTERNAL, "%s", path);
	err = peer_write(fd, path, body, len, e);
	close(fd);
	if (!err)
		err = number_file(dir, path, out, e);
	unlink(path);
	return err ? err : sync_folder(dir, "uploads", e);
}

/* --- log */

enum err state_log(const char *dir, const struct log_entry *entry, struct error *e)
{
	struct buf line = BUF_INIT(16384);

	peer_log_begin(&line, entry->status);
	peer_log_member(&line, "method", entry->method);
	peer_log_member(&line, "path", entry->path);
	peer_log_member(&line, "client", entry->client);
	peer_log_member(&line, "device", entry->upload->device_uuid);
	peer_log_member(&line, "user", entry->upload->user_uuid);
	for (int part = 0; part < PART_COUNT; part++)
		buf_printf(&line, ", \"%s\": %u", part_names[part], entry->upload->counts[part]);
	peer_log_member(&line, "upload", entry->record);
	peer_log_member(&line, "text", entry->text);
	return peer_log_end(&line, dir, e);
}

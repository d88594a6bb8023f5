/* Where a line of the log goes: standard error, syslog or the journal. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log_form.h"

#define JOURNAL_ENTRY_SIZE (4 * LOG_ENTRY_SIZE)
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

const char *const log_level_names[LOG_LEVEL_COUNT] = {"error", "warning", "info", "debug"};
const char *const log_target_names[LOG_TARGET_COUNT] = {"auto", "stderr", "syslog", "journal"};
const char *const log_format_names[LOG_FORMAT_COUNT] = {"text", "json"};

static const int priorities[LOG_LEVEL_COUNT] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

/* A process has one log. */
static struct {
	const char *program;
	struct log_settings settings;
	int journal;
	char request[LOG_REQUEST_SIZE];
} self = {.program = "certprov",
	.settings = {.target = LOG_TARGET_STDERR, .level = LOG_LEVEL_INFO},
	.journal = -1};

/* systemd.exec(5): DEVICE:INODE, in decimal, of the journal's end of our standard error. */
static bool journal_reads_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

static void open_journal(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	self.journal = fd;
	if (fd < 0)
		self.settings.target = LOG_TARGET_STDERR;
}

void log_open(const char *program, const struct log_settings *settings)
{
	if (self.journal >= 0)
		close(self.journal);
	if (self.settings.target == LOG_TARGET_SYSLOG)
		closelog();
	self.journal = -1;
	self.program = program;
	self.settings = *settings;
	if (settings->target == LOG_TARGET_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (settings->target == LOG_TARGET_AUTO)
		self.settings.target = LOG_TARGET_STDERR;
	/* if the journal's socket refuses us, it still gets our lines from standard error */
	if (settings->target == LOG_TARGET_AUTO && journal_reads_stderr()) {
		self.settings.target = LOG_TARGET_JOURNAL;
		open_journal();
	}
	if (settings->target == LOG_TARGET_JOURNAL) {
		open_journal();
		if (self.journal < 0)
			log_warning("no journal at %s: logging to standard error", JOURNAL_SOCKET);
	}
}

const char *log_program(void)
{
	return self.program;
}

void log_set_request(const char *request_id)
{
	snprintf(self.request, sizeof(self.request), "%s", request_id ? request_id : "");
	for (char *p = self.request; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			*p = '_';
}

const char *log_request(void)
{
	return self.request;
}

static size_t form(const struct log_entry *entry, char line[LOG_ENTRY_SIZE])
{
	return self.settings.format == LOG_FORMAT_JSON ? log_form_json(entry, line, LOG_ENTRY_SIZE)
						       : log_form_text(entry, line, LOG_ENTRY_SIZE);
}

static void write_stderr(const struct log_entry *entry)
{
	char line[LOG_ENTRY_SIZE];

	/* if this fails, there is nobody left to tell */
	(void)file_write(STDERR_FILENO, line, form(entry, line));
}

static void write_journal(const struct log_entry *entry)
{
	char data[JOURNAL_ENTRY_SIZE];
	size_t len = log_form_journal(entry, priorities[entry->level], data, sizeof(data));

	if (send(self.journal, data, len, MSG_NOSIGNAL) < 0)
		write_stderr(entry);
}

/* Syslog adds time, name and process itself; a JSON object has them all the same. */
static void write_syslog(const struct log_entry *entry)
{
	char text[LOG_ENTRY_SIZE];
	bool json = self.settings.format == LOG_FORMAT_JSON;
	size_t len =
		json ? form(entry, text) : log_form_message(entry->message, text, LOG_MESSAGE_SIZE);
	bool request = !json && *entry->request;

	if (json)
		text[len - 1] = '\0'; /* its line feed */
	syslog(priorities[entry->level], "%s%s%s%s", request ? "request=" : "",
		request ? entry->request : "", request ? " " : "", text);
}

static void write_entry(const struct log_entry *entry)
{
	switch (self.settings.target) {
	case LOG_TARGET_SYSLOG:
		write_syslog(entry);
		break;
	case LOG_TARGET_JOURNAL:
		write_journal(entry);
		break;
	case LOG_TARGET_AUTO:
	case LOG_TARGET_STDERR:
	case LOG_TARGET_COUNT:
		write_stderr(entry);
		break;
	}
}

/* --- lines of any length */

/* Inserts lead and body into the formatted line at that place. Returns false without memory. */
static bool put_body(
	struct buf *out, const char *formed, size_t at, const char *lead, const char *body)
{
	buf_append(out, formed, at);
	buf_puts(out, lead);
	buf_puts(out, body);
	buf_puts(out, formed + at);
	return !out->failed;
}

static void stderr_with_body(const struct log_entry *entry, const char *body, struct buf *out)
{
	char line[LOG_ENTRY_SIZE];
	bool json = self.settings.format == LOG_FORMAT_JSON;
	size_t len = form(entry, line);

	if (put_body(out, line, len - (json ? 2 : 1), json ? ",\"body\":" : " ", body))
		(void)file_write(STDERR_FILENO, out->data, out->len);
	else
		write_stderr(entry);
}

/* MESSAGE is the first field. */
static void journal_with_body(const struct log_entry *entry, const char *body, struct buf *out)
{
	char data[JOURNAL_ENTRY_SIZE];

	(void)log_form_journal(entry, priorities[entry->level], data, sizeof(data));
	if (!put_body(out, data, strcspn(data, "\n"), " ", body) ||
		send(self.journal, out->data, out->len, MSG_NOSIGNAL) < 0) {
		buf_reset(out);
		stderr_with_body(entry, body, out);
	}
}

static void syslog_with_body(const struct log_entry *entry, const char *body, struct buf *out)
{
	char line[LOG_ENTRY_SIZE];
	bool json = self.settings.format == LOG_FORMAT_JSON;
	bool request = !json && *entry->request;

	if (json) {
		size_t len = form(entry, line);

		line[len - 1] = '\0'; /* its line feed */
		(void)put_body(out, line, len - 2, ",\"body\":", body);
	} else {
		buf_printf(out, "%s%s%s%s %s", request ? "request=" : "",
			request ? entry->request : "", request ? " " : "", entry->message, body);
	}
	if (out->failed)
		write_syslog(entry);
	else
		syslog(priorities[entry->level], "%s", out->data);
}

void log_with_body(enum log_level level, const char *message, const char *body)
{
	const struct log_entry entry = {
		.level = level,
		.time = clock_now(),
		.program = self.program,
		.pid = getpid(),
		.request = self.request,
		.message = message,
	};
	struct buf line = BUF_INIT(strlen(body) + JOURNAL_ENTRY_SIZE + LOG_ENTRY_SIZE);

	if (level > self.settings.level)
		return;
	if (self.settings.target == LOG_TARGET_JOURNAL)
		journal_with_body(&entry, body, &line);
	else if (self.settings.target == LOG_TARGET_SYSLOG)
		syslog_with_body(&entry, body, &line);
	else
		stderr_with_body(&entry, body, &line);
	buf_free(&line);
}

/* --- lines of a message */

static void log_args(enum log_level level, const struct log_field *fields, size_t count,
	const char *fmt, va_list args) printf_like(4, 0);
static void log_args(enum log_level level, const struct log_field *fields, size_t count,
	const char *fmt, va_list args)
{
	char message[LOG_MESSAGE_SIZE];
	int saved = errno;
	const struct log_entry entry = {
		.level = level,
		.time = clock_now(),
		.program = self.program,
		.pid = getpid(),
		.request = self.request,
		.message = message,
		.fields = fields,
		.field_count = count,
	};

	if (level > self.settings.level)
		return;
	vsnprintf(message, sizeof(message), fmt, args);
	write_entry(&entry);
	errno = saved;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_args(level, NULL, 0, fmt, args);
	va_end(args);
}

void log_fields(
	enum log_level level, const struct log_field *fields, size_t count, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_args(level, fields, count, fmt, args);
	va_end(args);
}

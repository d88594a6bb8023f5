#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 2048
#define HEAD_MAX_BYTES 256 /* what stands around the message */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

const char *const log_level_names[LOG_LEVEL_COUNT] = {"error", "warning", "info", "debug"};
const char *const log_target_names[LOG_TARGET_COUNT] = {"stderr", "syslog", "journal"};

static const int priorities[LOG_LEVEL_COUNT] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

/* A process has one log. */
static struct {
	const char *program;
	enum log_target target;
	enum log_level level;
	int journal;
	char request[LOG_REQUEST_SIZE];
} self = {.program = "certprov", .level = LOG_LEVEL_INFO, .journal = -1};

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
		self.target = LOG_TARGET_STDERR;
}

void log_open(const char *program, enum log_target target, enum log_level level)
{
	if (self.journal >= 0)
		close(self.journal);
	if (self.target == LOG_TARGET_SYSLOG)
		closelog();
	self.journal = -1;
	self.program = program;
	self.target = target;
	self.level = level;
	if (target == LOG_TARGET_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (target == LOG_TARGET_JOURNAL) {
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

/* Copies text, with what could forge or garble a line shown as \xNN. */
static void escape(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (size_t left = strlen(text), taken; left > 0; text += taken, left -= taken) {
		uint32_t c = 0;
		size_t good = utf8_next(text, left, &c);
		bool shown = good && !utf8_is_control(c);

		taken = good ? good : 1;
		if (n + 4 * taken >= size)
			break;
		if (shown)
			memcpy(out + n, text, taken);
		for (size_t i = 0; i < taken && !shown; i++)
			snprintf(out + n + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
		n += shown ? taken : 4 * taken;
	}
	out[n] = '\0';
}

static void write_stderr(enum log_level level, const char *message)
{
	char time[CLOCK_RFC3339_SIZE], line[LINE_MAX_BYTES + HEAD_MAX_BYTES];
	int len;
	ssize_t n;

	clock_rfc3339(clock_now(), time);
	len = snprintf(line, sizeof(line), "%s %s %.32s[%ld]%s%s %s\n", time,
		log_level_names[level], self.program, (long)getpid(),
		*self.request ? " request=" : "", self.request, message);
	do
		n = write(STDERR_FILENO, line, (size_t)len);
	while (n < 0 && errno == EINTR); /* for other reasons: nobody is left to tell */
}

/* systemd's native protocol: FIELD=value lines in one datagram. */
static void write_journal(enum log_level level, const char *message)
{
	char data[LINE_MAX_BYTES + HEAD_MAX_BYTES];
	int len = snprintf(data, sizeof(data),
		"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%.32s\nCERTPROV_REQUEST=%s\n", message,
		priorities[level], self.program, self.request);

	if (send(self.journal, data, (size_t)len, MSG_NOSIGNAL) < 0)
		write_stderr(level, message);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], message[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;

	if (level > self.level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	escape(text, message, sizeof(message));
	switch (self.target) {
	case LOG_TARGET_SYSLOG:
		syslog(priorities[level], "%s%s%s%s", *self.request ? "request=" : "", self.request,
			*self.request ? " " : "", message);
		break;
	case LOG_TARGET_JOURNAL:
		write_journal(level, message);
		break;
	case LOG_TARGET_STDERR:
	case LOG_TARGET_COUNT:
		write_stderr(level, message);
		break;
	}
	errno = saved;
}

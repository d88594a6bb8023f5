#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

#include "base/error.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT,
};

enum log_target {
	LOG_TARGET_AUTO, /* the journal if standard error goes there, else standard error */
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,
	LOG_TARGET_JOURNAL,
	LOG_TARGET_COUNT,
};

/* The journal has fields of its own, whatever the format. */
enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_COUNT,
};

extern const char *const log_level_names[LOG_LEVEL_COUNT];
extern const char *const log_target_names[LOG_TARGET_COUNT];
extern const char *const log_format_names[LOG_FORMAT_COUNT];

struct log_settings {
	enum log_target target;
	enum log_format format;
	enum log_level level;
};

/*
 * Before this is called, lines go to standard error as text at level info. LOG_TARGET_AUTO looks
 * at $JOURNAL_STREAM, which systemd sets.
 */
void log_open(const char *program, const struct log_settings *settings);

const char *log_program(void); /* the name that log_open() was given; borrowed */

#define LOG_REQUEST_SIZE 65 /* an id and its NUL */

/*
 * The id in every following line, until it is set to NULL. At most 64 characters are copied;
 * characters that are not visible ASCII become "_".
 */
void log_set_request(const char *request_id);
const char *log_request(void); /* borrowed; "" outside a request */

/*
 * One line: "TIME LEVEL program[pid] request=ID MESSAGE", or the same as a JSON object. Line
 * breaks, other invisible characters and bytes that are not UTF-8 become \xNN, in JSON escapes and
 * U+FFFD, so that nobody outside can forge a line. Does not change errno.
 */
void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A value in the message, for programs: a member of the JSON object, CERTPROV_NAME in the journal.
 */
struct log_field {
	const char *name;  /* lower-case letters and "_" */
	const char *value; /* any text; cut if it is too long */
	const char *
		json; /* the value in JSON if that is not a string, or NULL; left out if too long */
};

/* The same line, with fields for targets that support them; text has the message alone. */
void log_fields(enum log_level level, const struct log_field *fields, size_t count, const char *fmt,
	...) printf_like(4, 5);

/*
 * The message and a JSON text of any length that is already one line: after the message, or as the
 * member "body" of the JSON object. The journal takes all of it; systemd splits standard error
 * after 48 KiB, and most syslog daemons cut a line after 8 KiB.
 */
void log_with_body(enum log_level level, const char *message, const char *body);

#endif

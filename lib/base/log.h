#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT,
};

enum log_target {
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,
	LOG_TARGET_JOURNAL,
	LOG_TARGET_COUNT,
};

extern const char *const log_level_names[LOG_LEVEL_COUNT];
extern const char *const log_target_names[LOG_TARGET_COUNT];

/* Before this is called, lines go to standard error at level info. */
void log_open(const char *program, enum log_target target, enum log_level level);

const char *log_program(void); /* the name that log_open() was given; borrowed */

#define LOG_REQUEST_SIZE 65 /* an id and its NUL */

/*
 * The id that every following line bears, until it is set to NULL. Copied, at
 * most 64 characters; what is no visible ASCII character becomes "_".
 */
void log_set_request(const char *request_id);
const char *log_request(void); /* borrowed; "" outside a request */

/*
 * One line: "TIME LEVEL program[pid] request=ID MESSAGE". Line breaks, other
 * characters that are not shown and bytes that are no UTF-8 appear as \xNN: a
 * line cannot be forged from outside. Leaves errno alone.
 */
void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif

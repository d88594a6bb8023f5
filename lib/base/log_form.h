#ifndef BASE_LOG_FORM_H
#define BASE_LOG_FORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* For log.c, which knows where a line goes. */

struct log_entry {
	enum log_level level;
	int64_t time; /* Unix seconds */
	const char *program;
	pid_t pid;
	const char *request; /* "": none */
	const char *message; /* not escaped yet */
	const struct log_field *fields;
	size_t field_count;
};

#define LOG_MESSAGE_SIZE 2048 /* with its NUL */
/* A whole line: a pipe that several processes write to takes so many bytes without mixing them. */
#define LOG_ENTRY_SIZE 4096

/*
 * Each writes at most size bytes, including a NUL, and returns their number without it. A field
 * that does not fit is cut or left out, so that the result stays well-formed.
 */

/* The message, escaped for a line. */
size_t log_form_message(const char *message, char *out, size_t size);

/* "TIME LEVEL program[pid] request=ID MESSAGE" and a line feed. */
size_t log_form_text(const struct log_entry *entry, char *out, size_t size);

/* The same as an object of JSON (RFC 8259), and a line feed. */
size_t log_form_json(const struct log_entry *entry, char *out, size_t size);

/* systemd's native protocol: FIELD=value, a line each. */
size_t log_form_journal(const struct log_entry *entry, int priority, char *out, size_t size);

#endif

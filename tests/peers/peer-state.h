#ifndef TESTS_PEERS_PEER_STATE_H
#define TESTS_PEERS_PEER_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Files of a simulated peer's state folder, which its processes share. */

#define PEER_LINE_MAX 1024

/* DIR/NAME. */
void peer_path(const char *dir, const char *name, char out[PATH_MAX]);

/* Holds DIR/lock until the descriptor is closed. -1 and e: it cannot. */
int peer_lock(const char *dir, struct error *e);

/* All of it, and durably; what names the file. */
enum err peer_write(
	int fd, const char *what, const char *data, size_t len, struct error *e) must_check;

/*
 * The first line of DIR/NAME that is not empty, without its line break; keep: it stays
 * there, else it is taken out. False: there is none.
 */
bool peer_line(const char *dir, const char *name, bool keep, char line[PEER_LINE_MAX]);

/* Splits the first word off; *rest is what stands behind it. */
char *peer_word(char *line, char **rest);

/* A line of DIR/log, which is a JSON object a line: begin, members, end. */
void peer_log_begin(struct buf *line, int status);
void peer_log_member(struct buf *line, const char *name, const char *value);
enum err peer_log_end(struct buf *line, const char *dir, struct error *e) must_check; /* frees */

#endif

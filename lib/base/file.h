#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define FILE_SIZE_MAX (1024 * 1024)

/* Reads a whole regular file of at most FILE_SIZE_MAX bytes. ERR_CONFIG if it cannot. */
enum err file_read(const char *path, struct blob *out, struct error *e) must_check;

/*
 * The same for a file with a key or password. It must be a regular file (no symbolic
 * link), owned by root or by us (root: by anyone), and not accessible by others; the
 * group may read it. All of it is checked on the open descriptor.
 */
enum err file_read_secret(const char *path, struct blob *out, struct error *e) must_check;

/*
 * A secret file's first line without its line break, nor the byte order mark that an
 * editor may have put before it, as a string; empty is an error.
 */
enum err file_read_password(const char *path, struct blob *out, struct error *e) must_check;

/* Writes all of it to a descriptor that blocks. False: errno says why. */
bool file_write(int fd, const void *data, size_t len);

/*
 * Creates path with that mode from its first moment and the given content,
 * durably. Never overwrites: ERR_CONFIG if something is there already.
 */
enum err file_create(
	const char *path, unsigned mode, const void *data, size_t len, struct error *e) must_check;

/* The same for a file that may exist: a reader sees the whole old one or the whole new one. */
enum err file_replace(
	const char *path, unsigned mode, const void *data, size_t len, struct error *e) must_check;

/*
 * The same for a secret file that is there: its owner, group and mode stay. A killed process leaves
 * PATH.new behind, and the next one removes it: two must not do it at once.
 */
enum err file_replace_secret(
	const char *path, const void *data, size_t len, struct error *e) must_check;

#endif

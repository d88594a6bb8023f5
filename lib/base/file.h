#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define FILE_SIZE_MAX (1024 * 1024)

/* Reads a whole regular file of at most FILE_SIZE_MAX bytes. ERR_CONFIG if that fails. */
enum err file_read(const char *path, struct blob *out, struct error *e) must_check;

/*
 * The same for a file with a key or password. It must be a regular file (no symbolic link), owned
 * by root or by our user (root accepts any owner), and not accessible by others; the group may read
 * it. All of this is checked on the open descriptor.
 */
enum err file_read_secret(const char *path, struct blob *out, struct error *e) must_check;

/*
 * Reads a secret file's first line as a string, without its line break and without a byte order
 * mark that an editor may have put before it. An empty line is an error.
 */
enum err file_read_password(const char *path, struct blob *out, struct error *e) must_check;

/* Writes all of it to a descriptor that blocks. False: errno says why. */
bool file_write(int fd, const void *data, size_t len);

/*
 * Creates path with that content, durably; it has that mode from the start. Never overwrites:
 * ERR_CONFIG if path exists.
 */
enum err file_create(
	const char *path, unsigned mode, const void *data, size_t len, struct error *e) must_check;

/* The same for a file that may exist: a reader sees all of the old file or all of the new one. */
enum err file_replace(
	const char *path, unsigned mode, const void *data, size_t len, struct error *e) must_check;

/*
 * The same for an existing secret file, which keeps its owner, group and mode. A killed process
 * leaves PATH.new, which the next one removes: two processes must not do this at the same time.
 */
enum err file_replace_secret(
	const char *path, const void *data, size_t len, struct error *e) must_check;

#endif

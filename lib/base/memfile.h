#ifndef BASE_MEMFILE_H
#define BASE_MEMFILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * A file that exists only in this process's memory, for libraries that take only file names. It is
 * sealed: nobody can change it, not even we.
 */
struct memfile {
	int fd;
	char path[sizeof("/proc/self/fd/") + 10]; /* valid as long as the file is open */
};

#define MEMFILE_INIT   \
	{              \
		-1, "" \
	}

/* name only shows in /proc. ERR_INTERNAL. */
enum err memfile_open(const char *name, const void *data, size_t len, struct memfile *out,
	struct error *e) must_check;
void memfile_close(struct memfile *file);

#endif

#include "base/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

enum err memfile_open(
	const char *name, const void *data, size_t len, struct memfile *out, struct error *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return error_errno(e, ERR_INTERNAL, "memfd_create");
	if (!write_all(fd, data, len) || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		error_errno(e, ERR_INTERNAL, "memory file");
		close(fd);
		return e->code;
	}
	out->fd = fd;
	snprintf(out->path, sizeof(out->path), "/proc/self/fd/%d", fd);
	return ERR_OK;
}

void memfile_close(struct memfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct memfile)MEMFILE_INIT;
}

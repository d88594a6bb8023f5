/* Sealed files in memory, for libraries that take only file names. */
#include "base/memfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

enum err memfile_open(
	const char *name, const void *data, size_t len, struct memfile *out, struct error *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return error_errno(e, ERR_INTERNAL, "memfd_create");
	if (!file_write(fd, data, len) || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
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

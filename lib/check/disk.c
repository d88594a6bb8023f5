/* The file system beneath a file: how full it is, and whether it is another host's. */

#include "check/disk.h"

#include <stddef.h>
#include <sys/statfs.h>

/* f_type of statfs(2): file systems that several hosts can share. */
static const uint32_t network_types[] = {
	0x6969,	    /* NFS */
	0x517b,	    /* SMB */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB 2 */
	0x5346414f, /* AFS */
	0x00c36400, /* Ceph */
	0x01021997, /* 9P */
};

enum err disk_look(const char *path, struct disk *out, struct error *e)
{
	struct disk disk = {.network = false};
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	disk.size = (int64_t)fs.f_blocks * (int64_t)fs.f_bsize;
	disk.free = (int64_t)fs.f_bavail * (int64_t)fs.f_bsize;
	for (size_t i = 0; i < ARRAY_LEN(network_types); i++)
		disk.network |= (uint32_t)fs.f_type == network_types[i];
	*out = disk;
	return ERR_OK;
}

#include <stdio.h>
#include <stdlib.h>

#include "check/disk.h"
#include "check/systemd.h"

/*
 * The product on another disk: CERTPROV_TEST_DISK is "SIZE FREE NETWORK", megabytes, megabytes,
 * 0 or 1.
 */
enum err __wrap_disk_look(const char *path, struct disk *out, struct error *e);
enum err __wrap_disk_look(const char *path, struct disk *out, struct error *e)
{
	const char *text = getenv("CERTPROV_TEST_DISK");
	char *end = NULL;
	long long size, left;

	if (!text)
		return error_set(e, ERR_CONFIG, "%s: CERTPROV_TEST_DISK is not set", path);
	size = strtoll(text, &end, 10);
	left = strtoll(end, &end, 10);
	*out = (struct disk){size << 20, left << 20, strtol(end, NULL, 10) == 1};
	return ERR_OK;
}

/* Where systemd runs, for a test with a systemctl of its own. */
bool __wrap_systemd_runs(void);
bool __wrap_systemd_runs(void)
{
	return getenv("CERTPROV_TEST_SYSTEMD") != NULL;
}

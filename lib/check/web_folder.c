/* A web server's folders, for those that read what is in them. */

#include "check/web_folder.h"

#include <dirent.h>
#include <stdio.h>

void web_folder(
	const char *dir, const char *name, void (*each)(void *ctx, const char *path), void *ctx)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	DIR *found;

	if (snprintf(folder, sizeof(folder), "%s/%s", dir, name) >= (int)sizeof(folder))
		return;
	found = opendir(folder);
	while (found && (entry = readdir(found)) != NULL)
		if (*entry->d_name != '.' && snprintf(path, sizeof(path), "%s/%s", folder,
						     entry->d_name) < (int)sizeof(path))
			each(ctx, path);
	if (found)
		closedir(found);
}

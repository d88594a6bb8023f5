/* The web servers in front of the handler: where they are, and the files in their folders. */

#include "check/web_server.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct web_server web_servers[WEB_SERVER_COUNT] = {
	{"/etc/nginx", "nginx.service"},
	{"/etc/apache2", "apache2.service"},
	{"/etc/httpd", "httpd.service"},
};

bool web_server_is_none(const char *web_server)
{
	return web_server && strcmp(web_server, WEB_SERVER_NONE) == 0;
}

void web_server_files(
	const char *dir, const char *folder, void (*each)(void *ctx, const char *path), void *ctx)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *found = NULL;

	if (snprintf(path, sizeof(path), "%s/%s", dir, folder) < (int)sizeof(path))
		found = opendir(path);
	while (found && (entry = readdir(found)) != NULL)
		if (*entry->d_name != '.' && snprintf(path, sizeof(path), "%s/%s/%s", dir, folder,
						     entry->d_name) < (int)sizeof(path))
			each(ctx, path);
	if (found)
		closedir(found);
}

/* Readiness for systemd (Type=notify), by hand: libsystemd would be a library for one datagram. */
#include "fcgi/systemd_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* A name that begins with "@" is in the abstract namespace. 0: the name is neither. */
static socklen_t set_address(struct sockaddr_un *address, const char *name)
{
	size_t len = strlen(name);

	if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, name, len + 1);
	if (*name == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd;

	if (!name || !*name)
		return;
	len = set_address(&address, name);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (len == 0 || fd < 0 ||
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, len) <
			0)
		log_warning("cannot tell systemd \"%s\" at NOTIFY_SOCKET=%s: %s", state, name,
			len == 0 ? "it is no path" : strerror(errno));
	if (fd >= 0)
		close(fd);
}

void systemd_notify_ready(void)
{
	notify("READY=1\nSTATUS=serving");
}

void systemd_notify_reloading(void)
{
	char state[80];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)clock_monotonic_ms() * 1000);
	notify(state);
}

void systemd_notify_stopping(void)
{
	notify("STOPPING=1\nSTATUS=finishing open requests");
}

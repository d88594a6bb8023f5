/*
 * One login to UEM by password at a time. The lock is on the password file, which nobody else may
 * read; the kernel drops it with the process.
 */
#include "uem/login_turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/patience.h"

#define LOOK_MS 10

enum err login_turn_take(
	const struct config *config, int64_t deadline, struct login_turn *out, struct error *e)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	const char *path = config->uem.password_file;
	int lock;

	out->lock = -1;
	if (!config->uem.username)
		return ERR_OK;
	lock = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (lock < 0)
		return error_errno(e, ERR_CONFIG, "%s", path);
	while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (clock_monotonic_ms() >= deadline) {
			close(lock);
			return error_set(e, ERR_UNAVAILABLE,
				"UEM %s: other processes ask it one after the other, and it was "
				"not our turn in time",
				config->uem.url);
		}
		(void)patience_look();
		nanosleep(&pause, NULL);
	}
	out->lock = lock;
	return ERR_OK;
}

void login_turn_end(struct login_turn *turn)
{
	if (turn->lock >= 0)
		close(turn->lock);
	turn->lock = -1;
}

/* Keys made ahead in idle time, shared by processes through pipes. */

#include "pki/key_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/secret.h"

struct key_pool {
	struct {
		int take, put; /* ends of the pipe; -1: this type is not wanted */
	} pipe[KEY_TYPE_COUNT];
};

static enum err open_pipe(struct key_pool *pool, int type, size_t count, struct error *e)
{
	int ends[2];

	/* In packet mode each write takes a page of its own and is read as a whole. */
	if (pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC) < 0)
		return error_errno(e, ERR_INTERNAL, "pipe for keys made ahead");
	pool->pipe[type].take = ends[0];
	pool->pipe[type].put = ends[1];
	if (fcntl(ends[1], F_SETPIPE_SZ, (int)count * (int)sysconf(_SC_PAGESIZE)) < 0)
		return error_errno(e, ERR_INTERNAL, "room for %zu keys made ahead", count);
	return ERR_OK;
}

enum err key_pool_new(
	const bool wanted[KEY_TYPE_COUNT], size_t count, struct key_pool **out, struct error *e)
{
	struct key_pool *pool = malloc(sizeof(*pool));
	enum err err = ERR_OK;

	if (!pool)
		return error_memory(e);
	for (int type = 0; type < KEY_TYPE_COUNT; type++)
		pool->pipe[type].take = pool->pipe[type].put = -1;
	for (int type = 0; !err && type < KEY_TYPE_COUNT; type++)
		if (wanted[type])
			err = open_pipe(pool, type, count, e);
	if (err)
		key_pool_free(pool);
	else
		*out = pool;
	return err;
}

void key_pool_free(struct key_pool *pool)
{
	if (!pool)
		return;
	for (int type = 0; type < KEY_TYPE_COUNT; type++) {
		if (pool->pipe[type].take >= 0)
			close(pool->pipe[type].take);
		if (pool->pipe[type].put >= 0)
			close(pool->pipe[type].put);
	}
	free(pool);
}

/* Makes one key and puts it in. A pool that has become full is not an error. */
static enum err put_one(struct key_pool *pool, int type, struct error *e)
{
	struct blob pkcs8 = {NULL, 0};
	struct key *key = NULL;
	enum err err = key_generate((enum key_type)type, &key, e);

	if (!err)
		err = key_export(key, &pkcs8, e);
	if (!err && pkcs8.len > PIPE_BUF)
		err = error_set(e, ERR_INTERNAL, "a key of %zu bytes fits no packet", pkcs8.len);
	if (!err && write(pool->pipe[type].put, pkcs8.data, pkcs8.len) < 0 && errno != EAGAIN &&
		errno != EINTR)
		err = error_errno(e, ERR_INTERNAL, "keeping a key made ahead");
	blob_free(&pkcs8);
	key_free(key);
	return err;
}

enum err key_pool_fill(struct key_pool *pool, struct error *e)
{
	const struct sched_param priority = {.sched_priority = 0};
	struct pollfd room[KEY_TYPE_COUNT];
	enum err err = ERR_OK;

	/* May fail: it only spares the workers. */
	if (sched_setscheduler(0, SCHED_IDLE, &priority) < 0)
		errno = 0;
	for (int type = 0; type < KEY_TYPE_COUNT; type++)
		room[type] = (struct pollfd){.fd = pool->pipe[type].put, .events = POLLOUT};
	while (!err) {
		if (poll(room, KEY_TYPE_COUNT, -1) < 0) {
			if (errno != EINTR)
				err = error_errno(e, ERR_INTERNAL, "waiting for room for keys");
			continue;
		}
		for (int type = 0; !err && type < KEY_TYPE_COUNT; type++)
			if (room[type].revents & POLLOUT)
				err = put_one(pool, type, e);
	}
	return err;
}

enum err key_pool_take(struct key_pool *pool, enum key_type type, struct key **out, struct error *e)
{
	unsigned char packet[PIPE_BUF];
	struct blob pkcs8 = {packet, 0};
	enum err err;
	ssize_t n;

	if (pool->pipe[type].take < 0)
		return error_set(e, ERR_NOT_FOUND, "no keys of this type are made ahead");
	n = read(pool->pipe[type].take, packet, sizeof(packet));
	if (n <= 0)
		return error_set(e, ERR_NOT_FOUND, "no key made ahead is left");
	pkcs8.len = (size_t)n;
	err = key_import(&pkcs8, out, e);
	secret_wipe(packet, sizeof(packet));
	return err;
}

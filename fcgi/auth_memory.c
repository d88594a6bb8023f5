/*
 * Shared memory of right passwords (as digests) and of addresses that sent wrong ones, and the turn
 * to compute a hash. It knows neither users nor their hashes: auth.c does.
 */
#include "fcgi/auth_memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

#define REMEMBERED_MAX 32 /* a webhook has one user, or two while its password changes */
#define ADDRESSES 256
#define NETWORK_SIZE 8 /* bytes of an IPv6 address that count: a client has 2^64 addresses */

/* Each wrong password costs its address a second; someone who mistypes is far from the limit. */
#define FAILURE_COST_MS 1000
#define FAILURES_MAX 30

#define DOOR_WAIT_MS 2000
#define DESK_WAIT_MS 4000
#define PAUSE_NS 1000000
#define RETRY_AFTER 5

/*
 * Two locks, as for the store's writers: a process that waits holds the door and waits for the
 * desk. Processes that do not wait find the door closed, and so cannot overtake it for ever. The
 * locks are those of fcntl(2), which the kernel releases when a process dies.
 */
enum { DOOR, DESK };

struct failures {
	uint64_t address; /* a part of its digest */
	int64_t until;	  /* clock_monotonic_ms() from which on its failures no longer count */
};

/* Only the process that has the turn writes. A digest that was read half written never matches. */
struct auth_memory {
	int fd; /* a memory file that holds the locks and nothing else */
	unsigned char key[AUTH_DIGEST_SIZE];
	size_t next; /* in remembered, once it is full */
	size_t count;
	unsigned char remembered[REMEMBERED_MAX][AUTH_DIGEST_SIZE];
	struct failures failed[ADDRESSES];
};

enum err auth_memory_new(struct auth_memory **out, struct error *e)
{
	struct auth_memory *memory = mmap(
		NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	enum err err = ERR_OK;

	if (memory == MAP_FAILED)
		return error_memory(e);
	memory->fd = memfd_create("passwords", MFD_CLOEXEC);
	if (memory->fd < 0)
		err = error_errno(e, ERR_INTERNAL, "memfd_create");
	if (!err)
		err = secret_random(memory->key, sizeof(memory->key), e);
	if (err)
		auth_memory_free(memory);
	else
		*out = memory;
	return err;
}

void auth_memory_free(struct auth_memory *memory)
{
	if (!memory)
		return;
	if (memory->fd >= 0)
		close(memory->fd);
	secret_wipe(memory, sizeof(*memory));
	munmap(memory, sizeof(*memory));
}

enum err auth_memory_digest(const struct auth_memory *memory, const void *data, size_t len,
	unsigned char out[AUTH_DIGEST_SIZE], struct error *e)
{
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, memory->key, sizeof(memory->key), data, len, out) <
		0)
		return error_set(e, ERR_INTERNAL, "HMAC-SHA-256 failed");
	return ERR_OK;
}

/* --- right passwords */

bool auth_memory_has(const struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST_SIZE])
{
	bool found = false;

	for (size_t i = 0; i < memory->count; i++)
		found |= secret_equal(memory->remembered[i], digest, AUTH_DIGEST_SIZE);
	return found;
}

void auth_memory_was_right(struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST_SIZE])
{
	memcpy(memory->remembered[memory->next], digest, AUTH_DIGEST_SIZE);
	memory->next = (memory->next + 1) % REMEMBERED_MAX;
	if (memory->count < REMEMBERED_MAX)
		memory->count++;
}

/* --- wrong passwords */

/* Under a secret key: an attacker cannot choose an address that shares a place with another. */
static uint64_t address_id(const struct auth_memory *memory, const char *address)
{
	unsigned char digest[AUTH_DIGEST_SIZE] = {0};
	struct in6_addr network;
	struct error e;
	uint64_t id = 0;
	enum err err;

	if (inet_pton(AF_INET6, address, &network) == 1)
		err = auth_memory_digest(memory, &network, NETWORK_SIZE, digest, &e);
	else
		err = auth_memory_digest(memory, address, strlen(address), digest, &e);
	if (!err)
		memcpy(&id, digest, sizeof(id));
	return id;
}

/* Returns the milliseconds that its failures still count; 0: it has none. */
static int64_t failures_left(const struct auth_memory *memory, const char *address)
{
	uint64_t id = address_id(memory, address);
	const struct failures *failed = &memory->failed[id % ADDRESSES];
	int64_t left = failed->address == id ? failed->until - clock_monotonic_ms() : 0;

	return left > 0 ? left : 0;
}

void auth_memory_was_wrong(struct auth_memory *memory, const char *address)
{
	uint64_t id = address_id(memory, address);
	struct failures *failed = &memory->failed[id % ADDRESSES];
	int64_t left = failures_left(memory, address);

	*failed = (struct failures){id, clock_monotonic_ms() + left + FAILURE_COST_MS};
}

/* --- the turn to compute a hash */

static bool set_lock(const struct auth_memory *memory, short type, off_t which)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = which, .l_len = 1};

	return fcntl(memory->fd, F_SETLK, &lock) == 0;
}

static bool wait_for(const struct auth_memory *memory, off_t which, int64_t wait_ms)
{
	const struct timespec pause = {0, PAUSE_NS};
	int64_t deadline = clock_monotonic_ms() + wait_ms;

	while (!set_lock(memory, F_WRLCK, which)) {
		if (clock_monotonic_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum err not_now(struct error *e, const char *why)
{
	error_set(e, ERR_UNAVAILABLE, "the password was not checked: %s", why);
	e->retry_after = RETRY_AFTER;
	return e->code;
}

enum err auth_memory_take_turn(struct auth_memory *memory, const char *address, struct error *e)
{
	int64_t left = failures_left(memory, address);
	bool waits = left == 0, taken = false;

	if (left > FAILURES_MAX * FAILURE_COST_MS)
		return not_now(e, "too many from this address were wrong");
	if (wait_for(memory, DOOR, waits ? DOOR_WAIT_MS : 0)) {
		taken = wait_for(memory, DESK, waits ? DESK_WAIT_MS : 0);
		set_lock(memory, F_UNLCK, DOOR);
	}
	return taken ? ERR_OK : not_now(e, "others are being checked, one at a time");
}

void auth_memory_release_turn(struct auth_memory *memory)
{
	set_lock(memory, F_UNLCK, DESK);
}

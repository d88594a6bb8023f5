/* A token's PIN: read from its file, and never tried again once the token refused it. */

#include "pki/token_pin.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"

#define FILE_PREFIX "file:"
#define MEMORY_SUFFIX ".refused-"
#define MEMORY_DIGITS 8
#define LOCK_WAIT_MS 10000
#define LOCK_LOOK_MS 20

/* RFC 7512, 2.4: a path or a file: URL. It may also be a program, which we never run. */
static enum err find_path(const char *source, const char **out, struct error *e)
{
	const char *path = source;

	if (strncmp(path, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
		path += strlen(FILE_PREFIX);
		if (strncmp(path, "///", 3) == 0)
			path += 2;
	}
	if (*path != '/')
		return error_set(e, ERR_CONFIG,
			"pin-source must name a file by its whole path: pin-source=/FOLDER/FILE");
	*out = path;
	return ERR_OK;
}

/* Checked at the start, so that mistakes show at once; read again at each use. */
static enum err check_file(const char *path, struct error *e)
{
	struct blob secret = {NULL, 0};
	enum err err = file_read_password(path, &secret, e);

	blob_free(&secret);
	return err;
}

/* One file for each token, as another token may accept the same PIN. */
static enum err set_paths(const char *path, const char *token_url, struct pin *pin, struct error *e)
{
	char digest[DIGEST_HEX_SIZE];
	enum err err = digest_hex(token_url, strlen(token_url), digest, e);

	if (err)
		return err;
	pin->file = strdup(path);
	if (!pin->file || asprintf(&pin->memory, "%s" MEMORY_SUFFIX "%.*s", path, MEMORY_DIGITS,
				  digest) < 0) {
		free(pin->file);
		return error_memory(e);
	}
	return ERR_OK;
}

enum err pin_init(const char *file, const char *token_url, struct pin *out, struct error *e)
{
	struct pin pin = {.lock = -1};
	const char *path = NULL;
	enum err err = file ? find_path(file, &path, e) : ERR_OK;

	if (!err && path)
		err = check_file(path, e);
	if (!err && path)
		err = set_paths(path, token_url, &pin, e);
	if (!err)
		*out = pin;
	return err;
}

void pin_fini(struct pin *pin)
{
	free(pin->file);
	free(pin->memory);
	*pin = (struct pin){.lock = -1};
}

/* --- the state of the PIN file, which touch(1) changes */

static void stamp_of(const char *path, char out[PIN_STAMP_SIZE])
{
	struct stat st;

	out[0] = '\0';
	if (stat(path, &st) == 0)
		snprintf(out, PIN_STAMP_SIZE, "%lld %lld.%09ld %llu\n", (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			(unsigned long long)st.st_ino);
}

/* --- what all processes share */

static bool is_remembered(const struct pin *pin)
{
	struct blob known = {NULL, 0};
	struct error e;
	bool same;

	if (!pin->stamp[0]) /* there is no file, as pin_give() will say */
		return false;
	if (strcmp(pin->refused, pin->stamp) == 0)
		return true;
	if (file_read(pin->memory, &known, &e))
		return false;
	same = strcmp((const char *)known.data, pin->stamp) == 0;
	blob_free(&known);
	return same;
}

/* Its first line is not secret, and root may have written it for the service. */
static void remember(struct pin *pin)
{
	struct error e;

	memcpy(pin->refused, pin->stamp, sizeof(pin->refused));
	if (file_replace(pin->memory, 0644, pin->stamp, strlen(pin->stamp), &e))
		log_warning("%s: cannot remember for other processes that its PIN is wrong, so "
			    "each may try it: %s",
			pin->file, e.text);
}

static bool can_remember(const struct pin *pin)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s", pin->file);
	*strrchr(folder, '/') = '\0';
	return access(*folder ? folder : "/", W_OK) == 0;
}

/* --- one process at a time */

/* Goes on without a lock, because two tries instead of one do no harm. */
static void lock(struct pin *pin)
{
	const struct timespec pause = {.tv_nsec = LOCK_LOOK_MS * 1000000L};
	int64_t until = clock_monotonic_ms() + LOCK_WAIT_MS;

	pin->lock = open(pin->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	while (pin->lock >= 0 && flock(pin->lock, LOCK_EX | LOCK_NB) < 0 &&
		clock_monotonic_ms() < until)
		nanosleep(&pause, NULL);
}

static void unlock(struct pin *pin)
{
	if (pin->lock >= 0)
		close(pin->lock);
	pin->lock = -1;
}

enum err pin_begin(struct pin *pin, const char *token, struct error *e)
{
	pin->given = false;
	pin->why = NULL;
	if (!pin->file)
		return ERR_OK;
	lock(pin);
	stamp_of(pin->file, pin->stamp);
	if (!is_remembered(pin))
		return ERR_OK;
	unlock(pin);
	return error_set(e, ERR_UNAVAILABLE,
		"%s: the PIN in %s was refused, and is not tried again, because the token could "
		"lock itself: correct it there; if it is right, touch that file",
		token, pin->file);
}

void pin_end(struct pin *pin, bool refused)
{
	if (pin->file && pin->given) {
		if (refused) {
			remember(pin);
		} else {
			pin->refused[0] = '\0';
			unlink(pin->memory);
		}
	}
	unlock(pin);
}

/* --- the PIN itself */

static const char *reason_against(const struct pin *pin, int attempt, unsigned flags)
{
	if (!pin->file)
		return "the token asks for a PIN: write it to a file and add "
		       "?pin-source=/FOLDER/FILE to the URL";
	if (flags & GNUTLS_PIN_SO)
		return "the token asks for the security officer's PIN, which is never given";
	if (attempt > 0 || flags & GNUTLS_PIN_WRONG)
		return "the token refused the PIN";
	if (flags & GNUTLS_PIN_FINAL_TRY)
		return "one more wrong PIN would lock the token, so the PIN is not tried: log in "
		       "with the right one by another program first";
	if (flags & GNUTLS_PIN_COUNT_LOW && !can_remember(pin))
		return "a wrong PIN was tried before, perhaps this one, and that cannot be "
		       "recorded: let the handler's user write to the folder of the PIN file, or "
		       "log in with the right PIN by another program";
	return NULL;
}

int pin_give(struct pin *pin, int attempt, unsigned flags, char *out, size_t size)
{
	struct blob secret = {NULL, 0};
	struct error e;

	pin->why = reason_against(pin, attempt, flags);
	if (pin->why)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	if (file_read_password(pin->file, &secret, &e) || secret.len >= size) {
		pin->why =
			"its PIN file cannot be read, or does not hold a PIN: check its mode and owner";
		blob_free(&secret);
		return GNUTLS_E_PKCS11_PIN_ERROR;
	}
	memcpy(out, secret.data, secret.len);
	out[secret.len] = '\0';
	blob_free(&secret);
	pin->given = true;
	return 0;
}

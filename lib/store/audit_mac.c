/* The MACs that make the audit trail and rows tamper-evident, and the name of who acts. */
#include "store/audit_mac.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

#define KEY_SIZE 32
#define KEY_ROW "meta: audit key" /* what its seal is bound to */
#define ACTOR_MAX 128
#define NUMBER_MAX 32

struct audit_mac {
	gnutls_hmac_hd_t mac;
	char actor[ACTOR_MAX];
};

/* --- who we are */

/* The name of a user, or the number if there is no name. */
static const char *user_name(uid_t uid, char number[NUMBER_MAX])
{
	const struct passwd *entry = getpwuid(uid);

	if (entry)
		return entry->pw_name;
	snprintf(number, NUMBER_MAX, "%lu", (unsigned long)uid);
	return number;
}

/* The login user, also after su or sudo (audit(7)). False for a service. */
static bool login_user(uid_t *out)
{
	char text[NUMBER_MAX] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	int64_t uid = 0;

	if (fd >= 0)
		close(fd);
	if (len <= 0 || !text_number(text, UINT32_MAX - 1, &uid))
		return false;
	*out = (uid_t)uid;
	return true;
}

/*
 * The caller of sudo, if the kernel knows of no login (containers, no pam_loginuid). Root, or the
 * user with the master key, may have set that name: the trail does not bind them, but names an
 * honest one. A name that no user has is left out.
 */
static const char *sudo_user(void)
{
	const char *name = getenv("SUDO_USER");

	return name && *name && getpwnam(name) ? name : NULL;
}

static void set_actor(struct audit_mac *keyed)
{
	char number[NUMBER_MAX], login_number[NUMBER_MAX];
	const char *sudo = sudo_user();
	bool known;
	uid_t login = 0;
	int len = snprintf(keyed->actor, sizeof(keyed->actor), "%.32s by %.32s", log_program(),
		user_name(getuid(), number));

	known = login_user(&login);
	if (known && login != getuid())
		snprintf(keyed->actor + len, sizeof(keyed->actor) - (size_t)len, " (login %.32s)",
			user_name(login, login_number));
	else if (!known && sudo)
		snprintf(keyed->actor + len, sizeof(keyed->actor) - (size_t)len, " (sudo by %.32s)",
			sudo);
}

const char *audit_actor(const struct audit_mac *keyed)
{
	return keyed->actor;
}

/* --- the key */

enum err audit_mac_make_key(const struct seal *seal, struct blob *out, struct error *e)
{
	unsigned char key[KEY_SIZE];
	const struct blob plain = {key, sizeof(key)};
	enum err err = secret_random(key, sizeof(key), e);

	if (!err)
		err = seal_close_blob(seal, &plain, KEY_ROW, out, e);
	secret_wipe(key, sizeof(key));
	return err;
}

enum err audit_mac_open(const struct seal *seal, const struct blob *sealed_key,
	struct audit_mac **out, struct error *e)
{
	struct blob key = {NULL, 0};
	struct audit_mac *keyed = NULL;
	enum err err = seal_open_blob(seal, sealed_key, KEY_ROW, &key, e);
	int code;

	if (err)
		return error_context(e, "key of the audit trail");
	keyed = calloc(1, sizeof(*keyed));
	code = keyed ? gnutls_hmac_init(&keyed->mac, GNUTLS_MAC_SHA256, key.data, key.len)
		     : GNUTLS_E_MEMORY_ERROR;
	blob_free(&key);
	if (code < 0) {
		free(keyed);
		return error_set(e, ERR_INTERNAL, "HMAC-SHA-256: %s", gnutls_strerror(code));
	}
	set_actor(keyed);
	*out = keyed;
	return ERR_OK;
}

void audit_mac_close(struct audit_mac *keyed)
{
	if (!keyed)
		return;
	gnutls_hmac_deinit(keyed->mac, NULL);
	free(keyed);
}

/* --- the MACs */

/* Each part goes in behind its length, so that no two entries give the same bytes. */
static int add_bytes(const struct audit_mac *keyed, const void *data, size_t size)
{
	char length[NUMBER_MAX];
	int len = snprintf(length, sizeof(length), "%zu:", size);
	int code = gnutls_hmac(keyed->mac, length, (size_t)len);

	return code < 0 || size == 0 ? code : gnutls_hmac(keyed->mac, data, size);
}

static int add_text(const struct audit_mac *keyed, const char *text)
{
	return add_bytes(keyed, text, strlen(text));
}

static int add_number(const struct audit_mac *keyed, int64_t number)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRId64, number);
	return add_text(keyed, text);
}

static enum err take(
	const struct audit_mac *keyed, int code, unsigned char out[AUDIT_MAC_SIZE], struct error *e)
{
	unsigned char mac[AUDIT_MAC_SIZE];

	gnutls_hmac_output(keyed->mac, mac); /* also makes it ready for the next */
	if (code < 0)
		return error_set(e, ERR_INTERNAL, "HMAC-SHA-256: %s", gnutls_strerror(code));
	memcpy(out, mac, sizeof(mac));
	return ERR_OK;
}

enum err audit_mac_entry(const struct audit_mac *keyed, const struct audit_row *row,
	const unsigned char previous[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e)
{
	const char *const texts[] = {row->action, row->request_id, row->actor, row->device_uuid,
		row->user_uuid, row->serial, row->detail};
	int code = add_text(keyed, "entry");

	if (code >= 0)
		code = gnutls_hmac(keyed->mac, previous, AUDIT_MAC_SIZE);
	if (code >= 0)
		code = add_number(keyed, row->id);
	if (code >= 0)
		code = add_number(keyed, row->at);
	for (size_t i = 0; code >= 0 && i < ARRAY_LEN(texts); i++)
		code = add_text(keyed, texts[i]);
	return take(keyed, code, out, e);
}

enum err audit_mac_head(const struct audit_mac *keyed, int64_t count,
	const unsigned char newest[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e)
{
	int code = add_text(keyed, "head");

	if (code >= 0)
		code = gnutls_hmac(keyed->mac, newest, AUDIT_MAC_SIZE);
	if (code >= 0)
		code = add_number(keyed, count);
	return take(keyed, code, out, e);
}

enum err audit_mac_row(const struct audit_mac *keyed, const struct audit_part part[], size_t count,
	unsigned char out[AUDIT_MAC_SIZE], struct error *e)
{
	int code = add_text(keyed, "row");

	for (size_t i = 0; code >= 0 && i < count; i++)
		code = add_bytes(keyed, part[i].data, part[i].len);
	return take(keyed, code, out, e);
}

#ifndef CA_VAULT_SESSION_H
#define CA_VAULT_SESSION_H

#include <cjson/cJSON.h>

#include "ca/remote_json.h"

/*
 * Private to the kind vault: each request carries a token. It is in a file that an agent keeps
 * fresh and is read each time, or comes from a login by AppRole or by our TLS certificate, and then
 * serves for two thirds of its time.
 */
struct vault_session {
	struct remote remote; /* first: see remote_identity() */
	struct blob token;    /* of a login, a string; data is NULL: none */
	int64_t renew_at;     /* clock_monotonic_ms(): not used after this */
};

/* ERR_CONFIG unless there is exactly one of the three ways to a token. */
enum err vault_session_open(const struct config *config, const struct config_ca *ca,
	struct vault_session *out, struct error *e) must_check;
void vault_session_close(struct vault_session *session);

/*
 * Gives the object of an answer with status 200, for cJSON_Delete(). A token from a login that is
 * refused is replaced once. ERR_REFUSED with Vault's own words; ERR_BARRED if it refuses the login;
 * ERR_UNAVAILABLE also if Vault is sealed or a standby.
 */
enum err vault_ask(struct vault_session *session, const struct remote_json_request *request,
	cJSON **out, struct error *e) must_check;

/* The same without a token, for what anybody may ask. */
enum err vault_ask_openly(struct vault_session *session, const struct remote_json_request *request,
	cJSON **out, struct error *e) must_check;

#endif

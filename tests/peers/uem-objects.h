#ifndef TESTS_PEERS_UEM_OBJECTS_H
#define TESTS_PEERS_UEM_OBJECTS_H

#include <cjson/cJSON.h>
#include <fcgiapp.h>

#include "base/buf.h"
#include "base/error.h"
#include "tests/peers/escrow-state.h"

/*
 * The devices and users of the simulated UEM, in the shapes that its API has for them.
 *
 * devices: {"uuid", "id", "user" (UUID), "status", "name", "since" (of its
 * enrollment)}; users: {"uuid", "id", "name",
 * "mail", "staging" (bool)}. What is left out is "" or 0.
 */
struct uem_exchange {
	const char *state; /* folder */
	FCGX_Request *request;
	const char *method;
	char path[512];
	const char *query;
	int version; /* 0: the request names none */
	struct buf body;
	struct order order;

	int status; /* 0: it fails, and error says why */
	char type[64];
	char note[256];
	struct buf reply;
	struct error error;
};

void uem_reply_error(struct uem_exchange *x, int status, int code, const char *message);
void uem_reply_json(struct uem_exchange *x, int status, const cJSON *json); /* NULL: 204 */
void uem_reply_missing(struct uem_exchange *x, const char *message);

void uem_serve_device(struct uem_exchange *x);
void uem_serve_user(struct uem_exchange *x);
void uem_serve_search(struct uem_exchange *x);
void uem_serve_extensive(struct uem_exchange *x);

#endif

#ifndef TESTS_PEERS_CERTIFICATE_AUTHORITY_H
#define TESTS_PEERS_CERTIFICATE_AUTHORITY_H

#include <cjson/cJSON.h>
#include <fcgiapp.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/vocabulary.h"

/*
 * A simulated certificate authority: one core, and a front for each protocol
 * that it speaks. A front reads its protocol's requests as strictly as its
 * document allows, has the core decide, and writes what the decision is in its
 * protocol. What the authority is told to do wrong (certificate-authority-mode.h)
 * the core does, so that every front does it.
 *
 * For a new front: a file certificate-authority-NAME.c with a struct front, a line
 * in the table in certificate-authority.c, and ca_settings_NAME in
 * tests/system/lib-ca.sh.
 */

struct exchange;

struct front {
	const char *prefix; /* of the paths that are its own: "/.well-known/est/" */
	/*
	 * Answers by reply_...(). ERR_INTERNAL and x->error where the simulator itself fails;
	 * any other failure is an answer of the protocol's.
	 */
	enum err (*serve)(struct exchange *x);
};

extern const struct front front_ejbca;
extern const struct front front_adcs;
extern const struct front front_est;
extern const struct front front_cfssl;
extern const struct front front_step;
extern const struct front front_vault;

/* --- a request, and the answer to it */

enum fault {
	FAULT_NONE,
	FAULT_REFUSE,
	FAULT_LATER,
	FAULT_PENDING,
	FAULT_HANG,
	FAULT_SLOW,
	FAULT_REDIRECT,
	FAULT_GARBAGE,
	FAULT_TRUNCATED,
	FAULT_OVERSIZED,
	FAULT_EMPTY,
	FAULT_WRONG_KEY,
	FAULT_WRONG_ADDRESS,
	FAULT_NO_EMAIL_PROTECTION,
	FAULT_WRONG_USAGE,
	FAULT_TOO_LONG,
	FAULT_NOT_YET_VALID,
	FAULT_IS_CA,
	FAULT_BROKEN_CHAIN,
	FAULT_FOREIGN_ISSUER,
	FAULT_WRONG_ORDER,
	FAULT_OTHER_FORM,
	FAULT_LONGER,
	FAULT_NO_INTERMEDIATE,
	FAULT_COUNT
};

struct mode {
	enum fault fault;
	int64_t number;
	bool deny;   /* what was pending is refused at last */
	char at[64]; /* "": whatever asks for a certificate */
};

#define SERIAL_HEX_MAX 65

/* What a PKCS#10 request asks for. */
struct asked {
	enum usage usage;
	char mail[256];
	char subject[512]; /* RFC 4514 */
	char key[65];	   /* SHA-256 of its SubjectPublicKeyInfo, lower-case hexadecimal */
};

struct exchange {
	const char *state;   /* folder */
	const char *issuers; /* folder */
	FCGX_Request *request;

	const char *method;
	char path[1024]; /* as it came, without the query */
	const char *query;
	const char *type;   /* Content-Type */
	struct buf body;    /* data is NULL if it is empty */
	char identity[512]; /* who asks: "basic:NAME", "certificate:DN", "user:NAME"; "": nobody */

	int status;
	char reply_type[128];
	struct buf headers; /* "Name: value\r\n"... */
	struct buf reply;
	struct error error;

	/* The core's own. */
	struct mode mode;
	bool struck; /* the mode is for this request */
	struct asked asked;
	int64_t number;
	char serial[SERIAL_HEX_MAX];
	char note[256];
};

/* A request header, "HTTP_AUTHORIZATION" for Authorization; "" if there is none. */
const char *request_header(const struct exchange *x, const char *variable);

/* Status, Content-Type and text of the answer; formatted. */
void reply_text(struct exchange *x, int status, const char *type, const char *fmt, ...)
	printf_like(4, 5);
/* Status and type alone, for a body that is in x->reply or is none. */
void reply_status(struct exchange *x, int status, const char *type);
void reply_header(struct exchange *x, const char *name, const char *fmt, ...) printf_like(3, 4);
/* 401, and how to authenticate: "Basic realm=\"x\"". */
void reply_unauthenticated(struct exchange *x, const char *challenge);

/* Which of the other forms of a right answer it is to have, from 1 on; 0: that of the papers. */
int64_t mode_form(const struct exchange *x);

/* --- what the core does */

enum verdict {
	VERDICT_ISSUED,
	VERDICT_PENDING, /* ask again after retry_after seconds */
	VERDICT_REFUSED, /* for good: text says why */
	VERDICT_LATER,	 /* out of order: again after retry_after seconds */
};

struct decision {
	enum verdict verdict;
	int64_t number; /* of the request, from 1 on; 0: it was not taken */
	int retry_after;
	char text[256];
	char serial[SERIAL_HEX_MAX]; /* lower-case hexadecimal */
	struct blob certificate;     /* DER, of VERDICT_ISSUED; blob_free() */
};

/* Reads a PKCS#10, DER. False and text: what is wrong with it (RFC 2986, RFC 8550). */
bool authority_read(const struct blob *der, struct asked *out, char text[256]);

/*
 * Decides on a PKCS#10, DER. The same bytes again are the same request as long as that
 * one is pending, and a new one with a new certificate afterwards.
 */
enum err authority_request(struct exchange *x, const struct blob *der, struct decision *out,
	struct error *e) must_check;

/*
 * Asks again for a request by its number. What is issued already is given again; refused
 * with "there is no request N" for others.
 */
enum err authority_poll(
	struct exchange *x, int64_t number, struct decision *out, struct error *e) must_check;

enum revoked { REVOKED_NOW, REVOKED_BEFORE, REVOKED_UNKNOWN };

/* serial: lower-case hexadecimal, as in a decision; reason: as it is to be recorded. */
enum err authority_revoke(struct exchange *x, const char *serial, const char *reason,
	enum revoked *out, struct error *e) must_check;

#define AUTHORITY_CHAIN 2

/*
 * DER: the issuing CA and its root, in that order unless the mode is another one.
 * authority_chain_free() frees them.
 */
enum err authority_chain(
	const struct exchange *x, struct blob out[AUTHORITY_CHAIN], struct error *e) must_check;
void authority_chain_free(struct blob chain[AUTHORITY_CHAIN]);

/* The issuing CA's subject, RFC 4514. */
enum err authority_issuer(const struct exchange *x, char out[512], struct error *e) must_check;

/* --- forms that several protocols have in common */

/* Base64 in lines of width characters (0: one line without its end). */
void form_base64(struct buf *out, const void *data, size_t len, size_t width);

/*
 * Base64 whose lines all have exactly width characters but for the last; each ends with
 * LF or CR LF. width 0: a single line without an end. False: it is not.
 */
bool form_unbase64(const char *text, size_t len, size_t width, struct buf *out);

/* One PEM block with that label, lines of 64, nothing around it (RFC 7468). */
bool form_unpem(const char *text, size_t len, const char *label, struct buf *out);
void form_pem(struct buf *out, const char *label, const struct blob *der);
/* A certificate as a JSON string of PEM, without its last line break. */
void form_json_pem(struct buf *out, const struct blob *der);
/*
 * A serial in decimal as the lower-case hexadecimal octets that it is issued by. False: it is none,
 * or more than 20 octets.
 */
bool form_hex_serial(const char *decimal, char out[SERIAL_HEX_MAX]);
/* The one of a chain that is no root, in whatever order they are. */
const struct blob *form_issuing(const struct blob chain[AUTHORITY_CHAIN]);

/*
 * The body as one JSON object of type application/json with these members, NULL behind the last,
 * and no other; a list of none is for {}. cJSON_Delete(). False: it is not, and *out is as it was.
 */
bool form_object(const struct exchange *x, const char *const members[], cJSON **out);
/* The text of a member; "": it is none. */
const char *form_member(const cJSON *object, const char *name);

/*
 * Certificates as a certs-only PKCS#7 (RFC 5652; RFC 7030, 4.1.3), in the order that they
 * have here. Fills an empty buffer.
 */
void form_pkcs7(struct buf *out, const struct blob *der, size_t count);

#endif

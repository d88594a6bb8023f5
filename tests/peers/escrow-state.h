#ifndef TESTS_PEERS_ESCROW_STATE_H
#define TESTS_PEERS_ESCROW_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "tests/peers/escrow-judge.h"

/*
 * The simulator's folder: what it is told to do, and what it has done.
 *
 *   script    orders; an upload uses up the first line
 *   mode      one order, for all that the script has nothing for
 *   uploads/  NNNN.json: the bodies that were accepted, in their order
 *   log       a JSON object a line, for each request
 *
 * An order is one of
 *
 *   ok                  judge it, record it, answer 200
 *   STATUS [RETRY]      2xx: as ok, but with that status. Any other: answer so, look at
 *                       nothing. RETRY is sent as Retry-After: seconds, "+SECONDS" as an
 *                       HTTP date, any other text as it stands
 *   fail N [HOW]        for mode: every Nth request gets 503; or HOW, a STATUS or a word
 *                       of this list that needs no number
 *   slow SECONDS        wait, then as ok
 *   hang SECONDS        wait, then end the connection without an answer; record nothing
 *   late SECONDS        judge and record, wait, then answer
 *                       For each of these SECONDS may be "gate": until the test makes the file
 *                       "open"; meanwhile there is the file "held"
 *   drop                judge and record, then end the connection without an answer
 *   cut                 judge and record, then end it in the middle of the answer's body
 *   huge MEGABYTES      judge and record, then answer 200 with that much text
 *   garbage             judge and record, then answer 200 with bytes that are no JSON
 */
enum deed {
	DEED_OK,
	DEED_STATUS,
	DEED_FAIL,
	DEED_SLOW,
	DEED_HANG,
	DEED_LATE,
	DEED_DROP,
	DEED_CUT,
	DEED_HUGE,
	DEED_GARBAGE,
	DEED_COUNT
};

#define GATE (-1.0)

struct order {
	enum deed deed;
	double number;	/* seconds (GATE: until told), megabytes, or every how many */
	int status;	/* of DEED_STATUS */
	enum deed how;	/* of DEED_FAIL */
	char retry[64]; /* Retry-After, or "" */
};

/* The order for this request; only an upload takes a line from the script. */
enum err state_next_order(
	const char *dir, bool upload, struct order *out, struct error *e) must_check;

/* Waits as the order says. */
void state_wait(const char *dir, const struct order *order);

#define RECORD_NAME_SIZE 24

/* Stores a body durably as uploads/NNNN.json and gives its NNNN. */
enum err state_record(const char *dir, const char *body, size_t len, char out[RECORD_NAME_SIZE],
	struct error *e) must_check;

struct log_entry {
	int status;
	const char *method;
	const char *path;
	const char *client; /* SHA-256 thumbprint, or "" */
	const struct upload *upload;
	const char *record; /* "0001", or "": nothing was accepted */
	const char *text;   /* why not, or what was ordered */
};

enum err state_log(const char *dir, const struct log_entry *entry, struct error *e) must_check;

#endif

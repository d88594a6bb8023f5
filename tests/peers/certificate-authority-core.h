#ifndef TESTS_PEERS_CERTIFICATE_AUTHORITY_CORE_H
#define TESTS_PEERS_CERTIFICATE_AUTHORITY_CORE_H

#include "tests/peers/certificate-authority.h"

/*
 * Internal to the core: what its files have for one another.
 *
 * The folder of issuers has issuing.crt, issuing.key, root.crt and, for wrong answers,
 * foreign.crt, foreign.key and foreign-root.crt. The state folder has
 *
 *   mode       what the authority is told to do, below; none: ok
 *   users      NAME:PASSWORD a line, for Basic
 *   log        a JSON object a line, for each request
 *   issued/    SERIAL.crt: each certificate that was issued, PEM
 *   requests/  N.csr: each request that was taken, DER, and what became of it
 *   revoked    SERIAL REASON a line
 *   waiting    made when a request has begun to hang or to be slow
 *
 * A mode is a word, what it takes, and "at TEXT" behind it if it is for requests alone
 * that have TEXT in their path. Without "at" it is for what asks for a certificate.
 *
 *   ok                      as the protocol has it
 *   refuse                  for good
 *   later [SECONDS]         out of order: 503 and Retry-After (default 7)
 *   pending N|forever [deny]   the first N times a request is asked for it is pending, with
 *                           Retry-After 3 where the protocol has it; then issued, or denied
 *   hang [SECONDS]          wait (default 60), then end the connection without an answer
 *   slow [SECONDS]          wait (default 2), then as ok
 *   redirect                307 to itself, where it would be ok; the log shows who follows
 *   garbage, empty          200 with bytes that are nothing, with none
 *   oversized [MEGABYTES]   200 with that much text (default 5)
 *   truncated               the connection ends in the middle of the answer's body
 *   wrong-key, wrong-address, no-email-protection, wrong-usage (the other one's),
 *   too-long, not-yet-valid, is-ca      certificates that nobody asked for
 *   broken-chain            signed by another key than the chain's
 *   foreign-issuer          by another CA, with that one's chain
 *   wrong-order             the chain: root first
 *   longer [HOURS]          valid for 365 days and so much (default 23): as if rounded up
 *   no-intermediate         whoever asks for the chain gets the root alone
 *   other-form N            right, in the Nth of the forms that a protocol's papers do not have
 *                           and servers do (EST, EJBCA, Vault)
 *
 * Garbage, empty, oversized and truncated take the place of an answer: the certificate was
 * issued and the log has it.
 */
enum err mode_read(const char *state, struct mode *out, struct error *e) must_check;

/* Before the request is served. True: it is answered. */
bool mode_before(struct exchange *x);

/* Where a certificate is asked for. True: out is the decision. */
bool mode_decides(struct exchange *x, struct decision *out);

/* Behind the answer: makes it another one. */
void mode_after(struct exchange *x);

/*
 * Who asks, by NTLM, if the state folder has a file "ntlm" that says who may. *answered: it is
 * answered.
 */
enum err ntlm_identify(struct exchange *x, bool *answered, struct error *e) must_check;

/* The certificate that was asked for, and its serial number, into out; crq is DER. */
enum err leaf_make(struct exchange *x, const struct blob *crq, const struct asked *asked,
	struct decision *out, struct error *e) must_check;

#endif

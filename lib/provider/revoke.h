#ifndef PROVIDER_REVOKE_H
#define PROVIDER_REVOKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

struct provider;

/* Revokes a certificate. *done is false if it was revoked before; untouched on failure. */
enum err revoke_credential(struct provider *p, const struct credential *credential,
	enum revocation_reason reason, bool *done, struct error *e) must_check;

/*
 * Revokes by [events] on-unenroll after an unenrollment. A refusal by the CA is only logged, as
 * nobody waits for the answer.
 */
enum err revoke_unenrolled(struct provider *p, int64_t event_id, enum revocation_reason reason,
	struct error *e) must_check;

#endif

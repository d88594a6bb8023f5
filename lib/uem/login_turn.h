#ifndef UEM_LOGIN_TURN_H
#define UEM_LOGIN_TURN_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

/*
 * UEM locks an account after some wrong passwords. With [uem] username, only one process of this
 * machine asks UEM at a time, so that a password that is rejected is tried once: the others then
 * find UEM barred. With OAuth nobody waits.
 */
struct login_turn {
	int lock; /* on the password file; -1: none */
};

/* Waits for the turn until deadline, clock_monotonic_ms(). ERR_UNAVAILABLE: others had it. */
enum err login_turn_take(const struct config *config, int64_t deadline, struct login_turn *out,
	struct error *e) must_check;
void login_turn_end(struct login_turn *turn);

#endif

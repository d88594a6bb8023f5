#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/config.h"
#include "config/faults.h"

/* Checks the keys outside the CAs' sections that need, exclude or bound one another: ERR_CONFIG. */
enum err config_rules_check(
	const struct config *config, struct config_faults *faults, struct error *e) must_check;

/* ERR_CONFIG for an identity in a token with a password beside it; identity may be NULL. */
enum err config_rules_identity(const struct config *config, const char *section,
	const char *identity, struct error *e) must_check;

#endif

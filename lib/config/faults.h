#ifndef CONFIG_FAULTS_H
#define CONFIG_FAULTS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

/* Where errors go when all are wanted; without fault the first one ends the reading. */
struct config_faults {
	config_fault *fault;
	void *ctx;
	unsigned count;
	bool *wrong; /* for each key of the table: its value was refused, so it is not missing */
};

/*
 * Passes an error on. Returns ERR_OK if reading continues after it; a lack of memory always ends
 * it.
 */
enum err config_tell(struct config_faults *faults, enum err err, const struct error *e) must_check;

#endif

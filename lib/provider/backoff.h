#ifndef PROVIDER_BACKOFF_H
#define PROVIDER_BACKOFF_H

#include <stdint.h>

#include "store/due.h"

#define BACKOFF_MAX STORE_WAIT_MAX

/*
 * Returns the seconds to wait before the next attempt: as long as the peer asked for (retry_after >
 * 0), else twice as long after each of the earlier tries, from a minute on, 20 % more or less, so
 * that attempts that failed together do not come back together. Never over an hour.
 */
int64_t backoff_seconds(int64_t tries, int retry_after);

#endif

/* Lets time run slower or faster for the product than for its test. */

#include "tests/unit/patience.h"

#include <sqlite3.h>

#include "base/clock.h"

double product_hurry = PATIENT;

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);
int __real_sqlite3_busy_timeout(sqlite3 *db, int ms);
int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms);

int64_t __wrap_clock_monotonic_ms(void)
{
	return (int64_t)((double)__real_clock_monotonic_ms() * product_hurry);
}

int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms)
{
	return __real_sqlite3_busy_timeout(db, (int)(ms / product_hurry));
}

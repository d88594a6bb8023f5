#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

/*
 * How fast time runs for the product: slower than for the test, so that a slow disk is no failure,
 * and faster where a test waits for a deadline. For programs that wrap clock_monotonic_ms() and
 * sqlite3_busy_timeout().
 */
#define PATIENT 0.1
#define HURRIED 20

extern double product_hurry; /* PATIENT at first */

#endif

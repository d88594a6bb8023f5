#ifndef CHECK_SUBJECT_H
#define CHECK_SUBJECT_H

#include "check/finding.h"

/* A subject of the doctor: a row of SUBJECTS, a file in this folder. */
struct check_subject {
	/* For certprov check: all of it. Reports what it finds, good things too. */
	void (*check)(struct check *c);
	/*
	 * For certprov config test, before each start and reload of the handler: the part that the
	 * handler cannot start without. Quick, without network, store or token. NULL: there is
	 * none.
	 */
	void (*check_start)(struct check *c);
};

/* In the order of the report. The store's opens the store for those behind it. */
#define SUBJECTS(ROW)  \
	ROW(users)     \
	ROW(password)  \
	ROW(files)     \
	ROW(identity)  \
	ROW(store)     \
	ROW(ca)        \
	ROW(gateways)  \
	ROW(uem)       \
	ROW(directory) \
	ROW(services)  \
	ROW(handler)   \
	ROW(web)

#define DECLARE(name) extern const struct check_subject subject_##name;
SUBJECTS(DECLARE)
#undef DECLARE

#endif

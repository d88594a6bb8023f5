#ifndef CHECK_FINDING_H
#define CHECK_FINDING_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

struct store;

enum severity { SEVERITY_GOOD, SEVERITY_WARNING, SEVERITY_FAILURE };

/* What a check has found. All borrowed. */
struct finding {
	const char *about; /* such as "CA" or "events.users-file" */
	enum severity severity;
	enum err err;	   /* of a failure, else ERR_OK */
	const char *found; /* a sentence */
	const char *fix;   /* what to do; NULL: nothing, or found says it */
};

/* "FOUND: FIX" */
void finding_text(const struct finding *finding, struct buf *out);

typedef void check_report(void *ctx, const struct finding *finding);

/* A run of the doctor: the input of the subjects, and what becomes of their findings. */
struct check {
	const struct config *config;
	const char *database;	/* the store's, as messages name it; a file with SQLite */
	const char *web_server; /* its folder; NULL: the usual ones; WEB_SERVER_NONE: none */
	struct store *store;	/* open once the store was checked; NULL: it cannot be opened */
	check_report *report;
	void *ctx;
	enum err worst;	 /* the failure that decides the exit status */
	unsigned faults; /* warnings and failures so far */
};

/* Separates, in the formats below, what was found from how to fix it. */
#define FIX "\037"

void finding_good(struct check *c, const char *about, const char *fmt, ...) printf_like(3, 4);

/* Works, but needs attention. */
void finding_warn(struct check *c, const char *about, const char *fmt, ...) printf_like(3, 4);

void finding_fail(struct check *c, const char *about, enum err err, const char *fmt, ...)
	printf_like(4, 5);

/* The error says what was found, and how to fix it; its text may begin with "ABOUT: ". */
void finding_error(struct check *c, const char *about, const struct error *e);

/* Reports e if err is set; else the check holds, and good is its text. */
void finding_result(
	struct check *c, const char *about, enum err err, const struct error *e, const char *good);

#endif

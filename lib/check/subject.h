#ifndef CHECK_SUBJECT_H
#define CHECK_SUBJECT_H

#include "check/finding.h"

/* A subject of the doctor: a row of the table in check.c, a file in this folder. */
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

extern const struct check_subject subject_ca;
extern const struct check_subject subject_files;
extern const struct check_subject subject_gateways;
extern const struct check_subject subject_handler;
extern const struct check_subject subject_identity;
extern const struct check_subject subject_password;
extern const struct check_subject subject_services;
extern const struct check_subject subject_store;
extern const struct check_subject subject_users;
extern const struct check_subject subject_web;

#endif

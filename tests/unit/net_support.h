/* What the tests of lib/net and lib/escrow share: a folder of certificates, peers, programs. */
#ifndef TESTS_UNIT_NET_SUPPORT_H
#define TESTS_UNIT_NET_SUPPORT_H

#include <stdbool.h>
#include <sys/types.h>

struct peer {
	pid_t pid;
	char url[64]; /* "https://127.0.0.1:port" */
};

/* cmocka group set-up and tear-down: a temporary folder with make-certificates.sh's files. */
int net_setup(void **state);
int net_teardown(void **state);

/* A file in that folder. The text lives until the 8th next call. */
const char *net_file(const char *name);

/* Runs a program by PATH to its end; NULL ends the arguments. True for exit status 0. */
bool net_run(const char *const argv[]);

/* Starts tests/peers/tls-peer with these arguments, NULL at the end; stops it. */
struct peer net_start(const char *const argv[]);
void net_stop(struct peer *peer);

#endif

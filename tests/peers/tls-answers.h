#ifndef TESTS_TLS_ANSWERS_H
#define TESTS_TLS_ANSWERS_H

#include <gnutls/gnutls.h>
#include <stddef.h>

#define HEAD_MAX (16 * 1024)
#define ECHO_MAX (64 * 1024)

/* Shared by all processes of this peer. */
struct counters {
	unsigned connections, requests;
};
extern struct counters *counters;

struct connection {
	gnutls_session_t tls;
	int fd;
	unsigned served; /* requests before this one */
	char head[HEAD_MAX + 1];
	size_t head_len; /* of what has been read: the head and perhaps some of the body */
	char body[ECHO_MAX];
	size_t body_len;
};

/* How an answer ends. */
enum ending {
	END_KEEP,   /* the connection stays open */
	END_NOTIFY, /* closed as TLS wants it, with close_notify */
	END_CUT,    /* closed without: what anybody on the way could do */
	END_RESET,  /* TCP reset */
};

/* Plays what the request's path asks for. */
enum ending answer(struct connection *c);

#endif

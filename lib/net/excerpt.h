#ifndef NET_EXCERPT_H
#define NET_EXCERPT_H

#include <stddef.h>

#define EXCERPT_SIZE 201

/*
 * An excerpt of a peer's answer, for the log: one short line of ASCII. It may quote our request:
 * nothing that could be a piece of a key, a PKCS#12 file or a token is shown, only words that are
 * no longer than a UUID.
 */
void excerpt(const void *said, size_t len, char out[EXCERPT_SIZE]);

#endif

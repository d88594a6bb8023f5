#ifndef NET_EXCERPT_H
#define NET_EXCERPT_H

#include <stddef.h>

#define EXCERPT_SIZE 201

/*
 * An excerpt of a peer's answer for the log: one short line of ASCII. The answer may quote our
 * request, so words longer than a UUID, which may be part of a key, a PKCS#12 file or a token, are
 * replaced.
 */
void excerpt(const void *said, size_t len, char out[EXCERPT_SIZE]);

#endif

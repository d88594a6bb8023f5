#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Overwrites the data; the compiler cannot leave it out. Most callers need not do so: buf_free(),
 * blob_free() and key_free() (pki/key.h) wipe what they free.
 */
void secret_wipe(void *data, size_t len);

/* Compares in a time that depends only on len. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Fills out from the kernel's random number generator. */
enum err secret_random(void *out, size_t len, struct error *e) must_check;

/* No core dumps and no ptrace by others for this process and its children. */
void secret_harden_process(void);

#endif

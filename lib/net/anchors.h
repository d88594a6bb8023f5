#ifndef NET_ANCHORS_H
#define NET_ANCHORS_H

#include "base/error.h"
#include "base/memfile.h"

/*
 * The certificates of a CA file (PEM, any number; or one in DER) as PEM in a
 * sealed memory file: what is trusted stays the same until the configuration
 * is read anew. ERR_CONFIG if there is none.
 */
enum err anchors_open(const char *path, struct memfile *out, struct error *e) must_check;

/* The file with all CAs that the system trusts, or NULL if it is at none of the usual places. */
const char *anchors_system(void);

#endif

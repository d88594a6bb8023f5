#ifndef NET_ANCHORS_H
#define NET_ANCHORS_H

#include "base/error.h"
#include "base/memfile.h"

/*
 * The certificates of a CA file (PEM, any number; or one in DER) as PEM in a sealed memory file, so
 * that trust does not change until the configuration is read again. ERR_CONFIG if there is none.
 */
enum err anchors_open(const char *path, struct memfile *out, struct error *e) must_check;

/* The file with all CAs that the system trusts; NULL if it is in none of the usual places. */
const char *anchors_system(void);

#endif

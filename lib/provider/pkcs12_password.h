#ifndef PROVIDER_PKCS12_PASSWORD_H
#define PROVIDER_PKCS12_PASSWORD_H

#include "base/buf.h"
#include "base/error.h"

/* Reads [escrow] pkcs12-password-file, as a string that a PKCS#12 file can have. ERR_CONFIG. */
enum err pkcs12_password_read(const char *file, struct blob *out, struct error *e) must_check;

#endif

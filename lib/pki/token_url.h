#ifndef PKI_TOKEN_URL_H
#define PKI_TOKEN_URL_H

#include "base/error.h"

struct token;

/*
 * Private to this folder: reads a pkcs11: URL (RFC 7512). Fills the names, URLs and the PIN's file
 * of a token; after an error, too, it is freed by token_free(). ERR_CONFIG.
 */
enum err token_parse(const char *url, struct token *out, struct error *e) must_check;

#endif

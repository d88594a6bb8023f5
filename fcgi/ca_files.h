#ifndef FCGI_CA_FILES_H
#define FCGI_CA_FILES_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/service.h"

/*
 * GET /ca.cer: the local CA's certificate, DER, for clients that build a chain from the issuer URL
 * in a certificate (RFC 5280, 4.2.2.1). Errors of provider_ca_certificate().
 */
enum err ca_files_get_certificate(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

/*
 * GET /ca.crl: its revocation list, DER (RFC 5280, 4.2.1.13; RFC 2585, 3). It may have megabytes,
 * and is read only where it is sent. Errors of provider_crl().
 */
enum err ca_files_get_crl(struct service *service, const struct request *request,
	struct response *response, struct error *e) must_check;

#endif

#ifndef CA_ADCS_PAGE_H
#define CA_ADCS_PAGE_H

#include <stddef.h>

#include "base/error.h"
#include "net/excerpt.h"

/*
 * The pages of Microsoft's Certification Authority Web Enrollment: HTML for people, in the server's
 * language. The CA's decision is read from links and error codes, which are the same in all of
 * them, before words.
 */

enum adcs_state {
	ADCS_UNKNOWN, /* it says nothing of a request */
	ADCS_ISSUED,
	ADCS_PENDING,
	ADCS_DENIED, /* for good */
	ADCS_FAILED, /* the CA is out of order, or what it depends on */
};

#define ADCS_REQUEST_SIZE 11 /* ten digits and a NUL */

struct adcs_page {
	enum adcs_state state;
	char request[ADCS_REQUEST_SIZE]; /* its number; "" if the page does not say it */
	char message[EXCERPT_SIZE];	 /* for the log: what the CA says, or what the page says */
};

/* ERR_INTERNAL. */
enum err adcs_page_read(
	const void *html, size_t len, struct adcs_page *out, struct error *e) must_check;

#endif

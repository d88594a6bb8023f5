#ifndef CA_EJBCA_ENROLL_H
#define CA_EJBCA_ENROLL_H

#include "ca/ejbca_client.h"

/*
 * Asks for the order's certificate: for what its handle stands for, or anew. The order is an end
 * entity of its own there, whose name and password come from request and key: the same order
 * again is the same entity's.
 */
enum err ejbca_enroll(struct ejbca *ejbca, const struct ca_order *order, struct http_answer *out,
	struct error *e) must_check;

#endif

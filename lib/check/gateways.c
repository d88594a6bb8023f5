/* Our client certificate, the Escrow Gateways, and whether our clocks agree. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check/certificate.h"
#include "check/subject.h"
#include "escrow/escrow.h"

#define GATEWAY "Escrow Gateway"
#define NOT_FOUND 404

/* Seconds; certificates are dated back by as much. */
#define CLOCK_LEEWAY (5 * 60)

static void check_client(struct check *c, struct escrow *escrow)
{
	const char *name = expiry_name(EXPIRY_CLIENT);
	struct certificate_info info;
	struct error e;

	if (escrow_ready(escrow, &e)) {
		finding_error(c, name, &e);
		return;
	}
	if (check_certificate(c, name, EXPIRY_CLIENT, escrow_identity(escrow), &info) &&
		!info.for_clients)
		finding_warn(c, "client certificate's purpose",
			"%s is not meant for TLS clients, and a gateway may refuse it" FIX
			"have it issued with extended key usage clientAuth",
			info.subject);
}

/* It is unknown which clock is wrong. Certificates and lists have the time of ours. */
static void check_clock(struct check *c, int64_t ahead, const char *url)
{
	if (llabs(ahead) <= CLOCK_LEEWAY)
		finding_good(c, "clock", "agrees with the " GATEWAY "'s");
	else
		finding_warn(c, "clock",
			"our clock is %lld minutes %s that of %s" FIX "set both by NTP",
			llabs(ahead) / 60, ahead > 0 ? "ahead of" : "behind", url);
}

/* If the URL has a path, that is the fault, and uploads would fail, too. */
static void report_not_found(struct check *c, const char *url)
{
	struct error e;

	if (strchr(strstr(url, "://") + 3, '/')) {
		(void)config_error(c->config, "escrow", "url", &e,
			"%s/v2/certificates is not there (status %d): give the gateway's own URL, "
			"https://NAME or https://NAME:PORT, without a path",
			url, NOT_FOUND);
		finding_error(c, GATEWAY, &e);
	} else {
		finding_warn(c, GATEWAY,
			"%s knows no /v2/certificates (status %d)" FIX
			"check url in [escrow], which must be the gateway's own, without that path",
			url, NOT_FOUND);
	}
}

static void check_gateway(struct check *c, struct escrow *escrow, size_t i)
{
	int64_t deadline = clock_monotonic_ms() + c->config->escrow.timeout * 1000;
	struct escrow_answer answer = {.status = 0};
	const char *url = escrow_url(escrow, i);
	struct error e;
	enum err err = escrow_probe(escrow, i, deadline, &answer, &e);

	if (!err && answer.status == NOT_FOUND)
		report_not_found(c, url);
	else
		finding_result(c, GATEWAY, err, &e, url);
	if (!err && answer.late)
		finding_warn(c, GATEWAY,
			"%s asks for our certificate after the handshake, which works only up to "
			"TLS 1.2" FIX "set tls-max = 1.2 in [escrow], so that no upload is sent "
			"twice",
			url);
	if (answer.date)
		check_clock(c, clock_now() - answer.date, url);
}

/* NULL: it cannot be opened, which is reported. */
static struct escrow *open_gateways(struct check *c)
{
	struct escrow *escrow = NULL;
	struct error e;

	if (escrow_open(c->config, &escrow, &e))
		finding_error(c, GATEWAY, &e);
	return escrow;
}

static void check(struct check *c)
{
	struct escrow *escrow = open_gateways(c);

	if (!escrow)
		return;
	check_client(c, escrow);
	for (size_t i = 0; i < escrow_count(escrow); i++)
		check_gateway(c, escrow, i);
	escrow_close(escrow);
}

static void check_start(struct check *c)
{
	escrow_close(open_gateways(c));
}

const struct check_subject subject_gateways = {check, check_start};

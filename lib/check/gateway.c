#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check/checkup.h"
#include "escrow/escrow.h"

/* Our client certificate, the Escrow Gateways, and whether our clocks agree. */

#define GATEWAY "Escrow Gateway"
#define NOT_FOUND 404

/* Seconds; as much as a certificate is dated back for. */
#define CLOCK_LEEWAY (5 * 60)

static void check_client(struct checkup *c, struct escrow *escrow)
{
	const char *name = expiry_name(EXPIRY_CLIENT);
	struct certificate_info info;
	struct error e;
	enum err err = escrow_ready(escrow, &e);

	if (err) {
		checkup_found(c, name, err, e.text);
		return;
	}
	if (checkup_certificate(c, name, EXPIRY_CLIENT, escrow_identity(escrow), &info) &&
		!info.for_clients)
		checkup_warns(c, "client certificate's purpose",
			"%s is not meant for TLS clients, and a gateway may refuse it: have it "
			"issued with extended key usage clientAuth",
			info.subject);
}

/* We cannot tell which clock is wrong; certificates and lists bear the time of our own. */
static void check_clock(struct checkup *c, int64_t ahead, const char *url)
{
	if (llabs(ahead) <= CLOCK_LEEWAY)
		checkup_holds(c, "clock", "agrees with the " GATEWAY "'s");
	else
		checkup_warns(c, "clock",
			"our clock is %lld minutes %s that of %s: set both by NTP",
			llabs(ahead) / 60, ahead > 0 ? "ahead of" : "behind", url);
}

/* With a path of its own in the URL it is that path which is wrong, and nothing will be taken. */
static void tell_not_found(struct checkup *c, const char *url)
{
	struct error e;

	if (strchr(strstr(url, "://") + 3, '/'))
		checkup_found(c, GATEWAY,
			config_error(c->config, "escrow", "url", &e,
				"%s/v2/certificates is not there (status %d): give the gateway's "
				"own URL, https://NAME or https://NAME:PORT, without a path",
				url, NOT_FOUND),
			e.text);
	else
		checkup_warns(c, GATEWAY,
			"%s knows no /v2/certificates (status %d): check url in [escrow], which "
			"must be the gateway's own, without that path",
			url, NOT_FOUND);
}

static void check_gateway(struct checkup *c, struct escrow *escrow, size_t i)
{
	int64_t deadline = clock_monotonic_ms() + c->config->escrow.timeout * 1000;
	struct escrow_answer answer = {.status = 0};
	const char *url = escrow_url(escrow, i);
	struct error e;
	enum err err = escrow_probe(escrow, i, deadline, &answer, &e);

	if (err)
		checkup_found(c, GATEWAY, err, e.text);
	else if (answer.status == NOT_FOUND)
		tell_not_found(c, url);
	else
		checkup_holds(c, GATEWAY, "%s", url);
	if (!err && answer.late)
		checkup_warns(c, GATEWAY,
			"%s asks for our certificate after the handshake, which works only up to "
			"TLS 1.2: set tls-max = 1.2 in [escrow], so that no upload is sent twice",
			url);
	if (answer.date)
		check_clock(c, clock_now() - answer.date, url);
}

void check_gateways(struct checkup *c)
{
	struct escrow *escrow = NULL;
	struct error e;
	enum err err = escrow_open(c->config, &escrow, &e);

	if (err) {
		checkup_found(c, GATEWAY, err, e.text);
		return;
	}
	check_client(c, escrow);
	for (size_t i = 0; i < escrow_count(escrow); i++)
		check_gateway(c, escrow, i);
	escrow_close(escrow);
}

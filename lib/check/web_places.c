/*
 * Where a web server passes requests on to the handler: is the sender verified, is there TLS with a
 * certificate that is in force, does anybody listen there?
 */

#include "check/web_places.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "check/web_apache.h"
#include "check/web_nginx.h"
#include "pki/certificate.h"
#include "pki/certificates.h"

#define VERIFIED "web server's authentication"
#define TLS "web server's TLS"
#define CERTIFICATE "web server's certificate"
#define PORT "web server's port"
#define DAY 86400

/* Days. ACME clients renew earlier, so a certificate this old was forgotten. */
#define SOON 28
#define PORT_WAIT_MS 2000 /* on loopback the answer comes at once */

struct look {
	struct check *check;
	bool nginx;
	unsigned events;	    /* places for events */
	unsigned verified;	    /* those whose REMOTE_USER the handler trusts */
	bool forged, plain, port;   /* reported: once is enough */
	char file[PATH_MAX];	    /* of a place for events */
	char certificate[PATH_MAX]; /* the last one that was looked at */
};

/* --- authentication */

static void judge_user(struct look *l, const struct web_place *place)
{
	bool asks = l->check->config->events.authenticate == AUTHENTICATE_WEB_SERVER;
	bool claimed = l->nginx && (place->user || place->proof) && !place->verifies;

	l->verified += place->verifies && (!l->nginx || (place->user && place->proof));
	if (!asks || l->forged || (!claimed && (l->nginx || !place->user)))
		return;
	l->forged = true;
	if (l->nginx)
		finding_fail(l->check, VERIFIED, ERR_REFUSED,
			"%s:%u passes REMOTE_USER to the handler without authentication, and nginx "
			"fills it with the name that the sender claims" FIX "include "
			"snippets/certprov-web-server-auth.conf there, and no fastcgi_params",
			place->file, place->line);
	else
		finding_fail(l->check, VERIFIED, ERR_REFUSED,
			"%s: from line %u on, a directive sets REMOTE_USER without authentication" FIX
			"remove it; Apache sets REMOTE_USER to the name that AuthType has verified",
			place->file, place->line);
}

static void judge_verified(struct look *l)
{
	if (l->check->config->events.authenticate != AUTHENTICATE_WEB_SERVER || l->forged ||
		!l->events || l->verified)
		return;
	finding_warn(l->check, VERIFIED,
		"%s passes events to the handler and authenticates nobody, although authenticate = "
		"web-server in [events] expects it to: each event is answered 401" FIX "%s",
		l->file,
		l->nginx ? "include snippets/certprov-web-server-auth.conf there"
			 : "set AuthType and Require valid-user there");
}

/* --- TLS and port */

static void judge_tls(struct look *l, const struct web_place *place)
{
	if (place->tls || place->local || l->plain)
		return;
	l->plain = true;
	finding_warn(l->check, TLS,
		"%s:%u takes events without TLS, and passwords and names with them can be read on "
		"the way" FIX
		"let that server speak TLS (nginx: listen 443 ssl; Apache: SSLEngine on), "
		"unless another one before it does",
		place->file, place->line);
}

static void judge_certificate(struct look *l, const char *path)
{
	struct certificates found = {.count = 0};
	struct certificate_info info;
	struct error e;
	int64_t left;

	if (!*path || strcmp(path, l->certificate) == 0 || access(path, R_OK) < 0)
		return; /* if it is missing, the server's own test says so */
	snprintf(l->certificate, sizeof(l->certificate), "%s", path);
	if (certificates_add_file(&found, path, &e) ||
		certificate_info(&found.certificate[0], &info, &e)) {
		finding_fail(l->check, CERTIFICATE, ERR_REFUSED, "%s", e.text);
		certificates_free(&found);
		return;
	}
	certificates_free(&found);
	left = info.not_after - clock_now();
	if (left < 0)
		finding_fail(l->check, CERTIFICATE, ERR_REFUSED,
			"%s in %s ended %lld days ago, and UEM no longer connects" FIX
			"renew it at "
			"once, and reload the web server",
			info.subject, path, (long long)(-left / DAY));
	else if (info.not_before > clock_now())
		finding_fail(l->check, CERTIFICATE, ERR_REFUSED,
			"%s in %s is not valid yet" FIX "is our clock right?", info.subject, path);
	else if (left < SOON * DAY)
		finding_warn(l->check, CERTIFICATE,
			"%s in %s ends in %lld days" FIX "renew it, and reload the web server",
			info.subject, path, (long long)(left / DAY));
}

static bool refused(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd done = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int fault = 0;

	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fault = errno;
	if (fault == EINPROGRESS && poll(&done, 1, PORT_WAIT_MS) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len);
	close(fd);
	return fault == ECONNREFUSED;
}

static void judge_port(struct look *l, const struct web_place *place)
{
	if (!place->port || l->port || !refused(place->port))
		return;
	l->port = true;
	finding_fail(l->check, PORT, ERR_REFUSED,
		"no server listens on port %u of this machine, which %s names" FIX
		"start the web server "
		"(systemctl start %s)",
		place->port, place->file, l->nginx ? "nginx" : "apache2");
}

static void judge(void *ctx, const struct web_place *place)
{
	struct look *l = ctx;

	if (!place->events)
		return;
	l->events++;
	snprintf(l->file, sizeof(l->file), "%s", place->file);
	judge_user(l, place);
	judge_tls(l, place);
	judge_certificate(l, place->certificate);
	judge_port(l, place);
}

void check_web_places(struct check *c, const char *dir)
{
	struct look nginx = {.check = c, .nginx = true}, apache = {.check = c};

	web_nginx_places(dir, judge, &nginx);
	judge_verified(&nginx);
	web_apache_places(dir, judge, &apache);
	judge_verified(&apache);
}

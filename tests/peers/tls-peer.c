/*
 * A small TLS server that answers as the first part of the path tells it to:
 * right, late, cut, huge, malformed. It listens on a free port of 127.0.0.1,
 * prints the port and serves each connection in a process of its own until it
 * is killed, or whoever started it dies.
 *
 * tls-peer -c CERT -k KEY [-a CLIENT-CA [-x]] [-p PRIORITY]
 *             TLS; -a: a client certificate is required; -x: who has none is cut off abruptly
 *             -H BITS[,BITS]: with an RSA key that nobody has, in a certificate by CERT:
 *             so many bits of modulus, and of exponent (default: as many)
 *             -l: asks for a client certificate late, after the request, as Kestrel's
 *             DelayCertificate and Apache's SSLVerifyClient in a <Location> do: with TLS 1.3 only
 *             a client that offers it can answer; who has none is answered 403 without a body
 * tls-peer -t answers in plain HTTP
 * tls-peer -m accepts and says nothing
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tls-answers.h"
#include "tls-huge-key.h"

struct options {
	const char *certificate, *key, *client_ca, *priority;
	unsigned huge, exponent; /* bits */
	bool plain, mute, abrupt, late;
};

static void die(const char *what)
{
	fprintf(stderr, "tls-peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_tls(const char *what, int code)
{
	fprintf(stderr, "tls-peer: %s: %s\n", what, gnutls_strerror(code));
	exit(1);
}

/* --- requests */

static bool receive(struct connection *c, char *out, size_t max, size_t *len)
{
	ssize_t n = gnutls_record_recv(c->tls, out, max);

	if (n <= 0)
		return false;
	*len += (size_t)n;
	return true;
}

static bool read_request(struct connection *c)
{
	const char *end = NULL, *field;
	size_t length, first;

	c->head_len = 0;
	while (!end) {
		if (!receive(c, c->head + c->head_len, HEAD_MAX - c->head_len, &c->head_len))
			return false;
		c->head[c->head_len] = '\0';
		end = strstr(c->head, "\r\n\r\n");
	}
	field = strcasestr(c->head, "\r\nContent-Length:");
	length = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
	first = (size_t)(c->head + c->head_len - (end + 4));
	memcpy(c->body, end + 4, first);
	c->body_len = first;
	if (strstr(c->head, "reset-if-kept") && c->served > 0)
		return true; /* what is not read makes the close a reset */
	while (c->body_len < length && c->body_len < ECHO_MAX)
		if (!receive(c, c->body + c->body_len, ECHO_MAX - c->body_len, &c->body_len))
			return false;
	for (size_t rest = c->body_len; rest < length;) {
		char skipped[4096];

		if (!receive(c, skipped, sizeof(skipped), &rest))
			return false;
	}
	return true;
}

static void finish(struct connection *c, enum ending end)
{
	const struct linger reset = {1, 0};

	if (end == END_NOTIFY)
		gnutls_bye(c->tls, GNUTLS_SHUT_WR);
	if (end == END_RESET)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

/* --- TLS */

/* What a careful server says of a client certificate that it does not take. */
static gnutls_alert_description_t alert_for(gnutls_session_t tls, int code)
{
	unsigned status = gnutls_session_get_verify_cert_status(tls);

	if (code == GNUTLS_E_NO_CERTIFICATE_FOUND)
		return GNUTLS_A_HANDSHAKE_FAILURE;
	if (code != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
		int level;

		return (gnutls_alert_description_t)gnutls_error_to_alert(code, &level);
	}
	if (status & GNUTLS_CERT_EXPIRED)
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return GNUTLS_A_UNKNOWN_CA;
	return GNUTLS_A_BAD_CERTIFICATE;
}

/*
 * Sends an alert so that it arrives: what the client goes on to send is read,
 * as closing now would be a reset, which overtakes the alert.
 */
static void refuse(struct connection *c, const struct options *o, gnutls_alert_description_t alert)
{
	const struct timeval limit = {2, 0};
	char junk[4096];

	gnutls_alert_send(c->tls, GNUTLS_AL_FATAL, alert);
	if (o->abrupt)
		_exit(0);
	shutdown(c->fd, SHUT_WR);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (read(c->fd, junk, sizeof(junk)) > 0)
		;
	_exit(0);
}

static void handshake(
	struct connection *c, const struct options *o, gnutls_certificate_credentials_t credentials)
{
	int code = gnutls_init(&c->tls, GNUTLS_SERVER | (o->late ? GNUTLS_POST_HANDSHAKE_AUTH : 0));

	if (code < 0)
		die_tls("session", code);
	code = gnutls_priority_set_direct(c->tls, o->priority, NULL);
	if (code < 0)
		die_tls(o->priority, code);
	gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(c->tls, c->fd);
	if (o->client_ca && !o->late) {
		gnutls_certificate_server_set_request(c->tls, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(c->tls, NULL, 0);
	}
	do
		code = gnutls_handshake(c->tls);
	while (code < 0 && !gnutls_error_is_fatal(code));
	if (code < 0) {
		refuse(c, o, alert_for(c->tls, code));
	}
}

/* Asks for a client certificate now. Returns true if it came and is right. */
static bool ask_late(struct connection *c)
{
	int code;

	if (gnutls_certificate_get_peers(c->tls, NULL))
		return true;
	gnutls_certificate_server_set_request(c->tls, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert(c->tls, NULL, 0);
	if (gnutls_protocol_get_version(c->tls) >= GNUTLS_TLS1_3)
		return gnutls_session_get_flags(c->tls) & GNUTLS_SFLAGS_POST_HANDSHAKE_AUTH &&
		       gnutls_reauth(c->tls, 0) >= 0;
	code = gnutls_rehandshake(c->tls);
	while (code >= 0 || !gnutls_error_is_fatal(code)) {
		code = gnutls_handshake(c->tls);
		if (code >= 0)
			return true;
	}
	return false;
}

static enum ending judge_and_answer(struct connection *c, const struct options *o)
{
	static const char none[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

	if (!o->late || ask_late(c))
		return answer(c);
	gnutls_record_send(c->tls, none, sizeof(none) - 1);
	return END_KEEP;
}

static void serve(int fd, const struct options *o, gnutls_certificate_credentials_t credentials)
{
	static struct connection c;
	enum ending end = END_KEEP;
	const int on = 1;
	char junk[512];

	c.fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (o->mute)
		pause();
	if (o->plain) {
		if (read(fd, junk, sizeof(junk)) > 0)
			dprintf(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
		_exit(0);
	}
	handshake(&c, o, credentials);
	for (; end == END_KEEP && read_request(&c); c.served++) {
		__atomic_add_fetch(&counters->requests, 1, __ATOMIC_SEQ_CST);
		end = judge_and_answer(&c, o);
	}
	finish(&c, end);
	close(fd);
	_exit(0);
}

static void load_file(const char *path, gnutls_datum_t *out)
{
	int code = gnutls_load_file(path, out);

	if (code < 0)
		die_tls(path, code);
}

static int load_huge(gnutls_certificate_credentials_t credentials, const struct options *o)
{
	gnutls_datum_t certificate_pem, key_pem;
	gnutls_x509_crt_t issuer = NULL;
	gnutls_x509_privkey_t key = NULL;
	int code = gnutls_x509_crt_init(&issuer);

	load_file(o->certificate, &certificate_pem);
	load_file(o->key, &key_pem);
	if (code >= 0)
		code = gnutls_x509_privkey_init(&key);
	if (code >= 0)
		code = gnutls_x509_crt_import(issuer, &certificate_pem, GNUTLS_X509_FMT_PEM);
	if (code >= 0)
		code = gnutls_x509_privkey_import(key, &key_pem, GNUTLS_X509_FMT_PEM);
	if (code >= 0)
		code = huge_key_use(credentials, issuer, key, o->huge, o->exponent);
	return code;
}

static gnutls_certificate_credentials_t load(const struct options *o)
{
	gnutls_certificate_credentials_t credentials;
	int code = gnutls_certificate_allocate_credentials(&credentials);

	if (code >= 0 && o->huge)
		code = load_huge(credentials, o);
	else if (code >= 0)
		code = gnutls_certificate_set_x509_key_file(
			credentials, o->certificate, o->key, GNUTLS_X509_FMT_PEM);
	if (code >= 0 && o->client_ca)
		code = gnutls_certificate_set_x509_trust_file(
			credentials, o->client_ca, GNUTLS_X509_FMT_PEM);
	if (code < 0)
		die_tls(o->certificate, code);
	return credentials;
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 64) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		die("socket");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void parse_bits(const char *text, struct options *o)
{
	char *end = NULL;

	o->huge = (unsigned)strtoul(text, &end, 10);
	o->exponent = *end ? (unsigned)strtoul(end + 1, NULL, 10) : o->huge;
}

static struct options parse_options(int argc, char *argv[])
{
	struct options o = {.priority = "NORMAL"};
	int c;

	while ((c = getopt(argc, argv, "c:k:a:p:H:ltmx")) != -1) {
		switch (c) {
		case 'c':
			o.certificate = optarg;
			break;
		case 'k':
			o.key = optarg;
			break;
		case 'a':
			o.client_ca = optarg;
			break;
		case 'p':
			o.priority = optarg;
			break;
		case 'H':
			parse_bits(optarg, &o);
			break;
		case 'l':
			o.late = true;
			break;
		case 't':
			o.plain = true;
			break;
		case 'x':
			o.abrupt = true;
			break;
		case 'm':
			o.mute = true;
			break;
		default:
			exit(2);
		}
	}
	if (!o.plain && !o.mute && (!o.certificate || !o.key)) {
		fprintf(stderr, "tls-peer: -c and -k are needed\n");
		exit(2);
	}
	return o;
}

int main(int argc, char *argv[])
{
	const struct options o = parse_options(argc, argv);
	gnutls_certificate_credentials_t credentials = o.certificate ? load(&o) : NULL;
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	counters = mmap(
		NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counters == MAP_FAILED)
		die("mmap");
	listener = listen_somewhere();
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		counters->connections++;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(listener);
			serve(fd, &o, credentials);
		}
		close(fd);
	}
}

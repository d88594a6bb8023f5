/* certprov.fcgi: the command line, and the choice between FastCGI and CGI. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "fcgi/cgi.h"
#include "fcgi/listener.h"
#include "fcgi/parent.h"
#include "fcgi/process_setup.h"

#define WORKERS_MAX 1024
#define EXIT_USAGE 2

static const char usage[] =
	"Usage: certprov.fcgi [-c FILE] [-s SOCKET] [-w WORKERS]\n"
	"Handles enrollment events that a web server passes on by FastCGI or CGI.\n"
	"  -c, --config FILE      configuration; default $CERTPROV_CONFIG, else\n"
	"                         " CERTPROV_CONFIG_FILE "\n"
	"  -s, --socket SOCKET    unix socket to make; default: the one that is descriptor 0\n"
	"  -w, --workers WORKERS  at the same time, 1 to 1024; default: cores + 1\n"
	"  -h, --help             this text\n"
	"  -V, --version          the version\n"
	"With neither socket, and GATEWAY_INTERFACE set, it answers one CGI request and exits.\n";

static int refuse_usage(const char *why)
{
	fprintf(stderr, "certprov.fcgi: %s\n%s", why, usage);
	return EXIT_USAGE;
}

static unsigned default_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 0 && cores < WORKERS_MAX ? (unsigned)cores + 1 : 2;
}

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct parent_options *options)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'}, {"workers", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	int64_t workers = 0;
	int option;

	while ((option = getopt_long(argc, argv, "c:s:w:hV", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'w':
			if (!text_number(optarg, WORKERS_MAX, &workers) || workers == 0)
				return refuse_usage("-w: expected a number from 1 to 1024");
			options->workers = (unsigned)workers;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("certprov.fcgi " PACKAGE_VERSION);
			return 0;
		default:
			return refuse_usage("wrong option");
		}
	}
	return optind == argc ? -1 : refuse_usage("takes no arguments");
}

int main(int argc, char **argv)
{
	struct parent_options options = {.workers = default_workers()};
	struct error e;
	int status;

	process_setup();
	log_open("certprov.fcgi", &(struct log_settings){.level = LOG_LEVEL_INFO});
	if (environment_clean(argv, &e)) {
		log_error("%s", e.text);
		return error_meaning(e.code)->exit_status;
	}
	status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	options.config_path = config_path(options.config_path);
	if (options.socket || listener_is_inherited())
		return parent_run(&options);
	if (getenv("GATEWAY_INTERFACE"))
		return cgi_run(options.config_path);
	return refuse_usage("nothing to serve: name a socket with -s, start it by spawn-fcgi or "
			    "systemd with a listening socket as descriptor 0, or as a CGI program");
}

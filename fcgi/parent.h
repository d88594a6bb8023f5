#ifndef FCGI_PARENT_H
#define FCGI_PARENT_H

/* The command line's options. */
struct parent_options {
	const char *config_path;
	const char *socket; /* NULL: the listening socket that is descriptor 0 */
	unsigned workers;
};

/*
 * Runs the process that holds the socket: it starts the workers, restarts those that die, reads the
 * configuration again on SIGHUP, and ends all processes on SIGTERM or SIGINT. Returns the exit
 * status: 0 after these signals, that of the error if it could not start.
 */
int parent_run(const struct parent_options *options);

#endif

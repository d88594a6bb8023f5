/* What every process of the handler sets for itself before it does anything else. */
#include "fcgi/process_setup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/secret.h"

#define DATA_MAX ((rlim_t)1024 * 1024 * 1024)

void process_setup_child(pid_t parent, int signal)
{
	prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
}

/* A closed descriptor would be given to the next file, which would be written to as standard error.
 */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/*
 * A runaway process must not take all memory of the machine; a normal one uses some 10 MB. No limit
 * with AddressSanitizer, whose shadow memory is larger than any.
 */
static void limit_memory(void)
{
#ifndef WITH_ADDRESS_SANITIZER
	const struct rlimit limit = {DATA_MAX, DATA_MAX};

	setrlimit(RLIMIT_DATA, &limit);
#endif
}

void process_setup(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM};
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	open_standard_descriptors();
	secret_harden_process();
	limit_memory();
	umask(077);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL); /* a file at its limit is an error like a full disk */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

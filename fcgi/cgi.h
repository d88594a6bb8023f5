#ifndef FCGI_CGI_H
#define FCGI_CGI_H

/*
 * Answers the one CGI request (RFC 3875) that environment and standard input hold, to
 * standard output. Returns the exit status. If the service could not be
 * opened it is that of the error, and the client is told, too.
 */
int cgi_run(const char *config_path);

#endif

#ifndef FCGI_CGI_H
#define FCGI_CGI_H

/*
 * Answers the one CGI request (RFC 3875) that environment and standard input hold, to
 * standard output. Returns the exit status: that of the error if the
 * service could not be opened, which the client has been told too.
 */
int cgi_run(const char *config_path);

#endif

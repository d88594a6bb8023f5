#ifndef FCGI_SYSTEMD_NOTIFY_H
#define FCGI_SYSTEMD_NOTIFY_H

/*
 * Tells systemd what the service is doing, by the protocol of sd_notify(3): a datagram such as
 * "READY=1" to the socket that $NOTIFY_SOCKET names. Does nothing if that is not set. A failure is
 * logged and otherwise ignored.
 */
void systemd_notify_ready(void);
void systemd_notify_reloading(void);
void systemd_notify_stopping(void);

#endif

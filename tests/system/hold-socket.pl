#!/usr/bin/perl
# Holds a listening unix socket as systemd does, and runs a program with it as standard
# input: SIGHUP ends the program and starts it anew, SIGTERM ends both. The socket never
# closes in between. Each start is a line on standard output.
#
#	hold-socket.pl SOCKET PROGRAM [ARGUMENT...]
use strict;
use warnings;
use IO::Socket::UNIX;

my $path = shift;
my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 511) or die "$path: $!\n";
my $stopping = 0;
my $pid;

$SIG{HUP} = sub { kill TERM => $pid };
$SIG{TERM} = sub { $stopping = 1; kill TERM => $pid };
$| = 1;
until ($stopping) {
	$pid = fork() // die "fork: $!\n";
	if (!$pid) {
		$SIG{$_} = 'DEFAULT' for qw(HUP TERM);
		open(STDIN, '<&', $socket) or die "standard input: $!\n";
		exec(@ARGV) or die "$ARGV[0]: $!\n";
	}
	print "started $pid\n";
	while (waitpid($pid, 0) < 0) { } # a signal may come in between
	print "ended $pid with $?\n";
}
unlink $path;

#!/usr/bin/perl
# datagrams.pl SOCKET FILE: what comes to a datagram socket of that name, a blank line behind
# each, into the file. Stands for systemd's journal and for a syslog daemon.
use strict;
use warnings;
use IO::Handle;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);

my ($path, $file) = @ARGV;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
open my $out, '>>', $file or die "$file: $!\n";
$out->autoflush(1);
while (defined $socket->recv(my $datagram, 65536)) {
	print $out "$datagram\n\n";
}

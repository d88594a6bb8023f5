#!/usr/bin/perl
# A server that takes all that is sent to it, and says nothing: swallow.pl PORT FILE listens on that
# port of 127.0.0.1, TCP and UDP, and makes the file once it does.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
my %place = (LocalAddr => '127.0.0.1', LocalPort => $port);
my $tcp = IO::Socket::INET->new(%place, Proto => 'tcp', Listen => 16, ReuseAddr => 1)
	or die "tcp: $!\n";
my $udp = IO::Socket::INET->new(%place, Proto => 'udp') or die "udp: $!\n";
my $all = IO::Select->new($tcp, $udp);

open my $ready, '>', $file or die "$file: $!\n";
close $ready;
while (my @ready = $all->can_read) {
	for my $socket (@ready) {
		if ($socket == $tcp) {
			$all->add($tcp->accept);
		} else {
			my $n = sysread $socket, my $data, 65536;
			$all->remove($socket) if $socket != $udp && !$n;
		}
	}
}

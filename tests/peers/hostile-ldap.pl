#!/usr/bin/perl
# A directory that means no good: it lets anybody bind, and answers the search with what its state
# file says:
#
#   hostile-ldap.pl PORT FILE
#
# FILE, read for each connection: huge (one message of 64 MiB), claim (a message of 2 GiB begins),
# references (without end), drip (a byte a second), binary, long, garbage, cut, hang, other (an
# answer to another question).

use strict;
use warnings;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16,
	ReuseAddr => 1) or die "port $port: $!\n";

$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

sub tlv
{
	my ($tag, $content) = @_;

	return pack('CCN', $tag, 0x84, length $content) . $content;
}

sub message
{
	my ($id, $op) = @_;

	return tlv(0x30, tlv(0x02, pack 'C', $id) . $op);
}

sub result
{
	my ($tag) = @_;

	return tlv($tag, tlv(0x0a, "\0") . tlv(0x04, '') . tlv(0x04, ''));
}

sub entry
{
	my ($mail) = @_;

	return tlv(0x64, tlv(0x04, 'cn=x') .
		tlv(0x30, tlv(0x30, tlv(0x04, 'mail') . tlv(0x31, tlv(0x04, $mail)))));
}

my %answers = (
	huge => sub { print message(2, entry('a' x (64 * 1024 * 1024))), message(2, result(0x65)) },
	claim => sub { print pack('CCN', 0x30, 0x84, 0x7fffffff), 'a' x 4096; sleep 60 },
	references => sub {
		1 while print message(2, tlv(0x73, tlv(0x04, 'ldap://localhost/dc=x')));
	},
	drip => sub {
		for my $byte (split //, message(2, entry('drip@example.com')) x 10) {
			print $byte or last;
			sleep 1;
		}
	},
	binary => sub { print message(2, entry("a\0\@example.com")), message(2, result(0x65)) },
	long => sub { print message(2, entry('a' x 5000)), message(2, result(0x65)) },
	garbage => sub { print 'HTTP/1.1 400 Bad Request' x 100 },
	cut => sub { print substr(message(2, entry('cut@example.com')), 0, 40) },
	hang => sub { sleep 60 },
	other => sub { print message(7, entry('other@example.com')), message(7, result(0x65)) },
);

sub serve
{
	my ($client, $mode) = @_;
	my $request;

	select $client;
	$| = 1;
	sysread $client, $request, 4096 or return;
	print message(1, result(0x61));
	sysread $client, $request, 4096 or return;
	$answers{$mode}->();
}

while (1) {
	my $client = $listener->accept or next;

	next if fork;
	close $listener;
	open my $state, '<', $file or die "$file: $!\n";
	chomp(my $mode = <$state>);
	serve($client, $mode);
	exit 0;
}

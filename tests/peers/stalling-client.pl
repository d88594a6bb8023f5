#!/usr/bin/perl
# A web server that misbehaves, for the handler's tests: stalling-client.pl SOCKET MODE BODY
# sends a POST of BODY to /events over FastCGI, or a part of it, then waits until
# the handler closes the connection. Prints how many milliseconds that took, and the answer's status.
#
#   nothing, header, begin, params, body   sends no more than this and waits
#   short    says that the body ends before it does
#   all      all is well
#   keep     all is well, and wishes to keep the connection (FCGI_KEEP_CONN)
#   gone     sends all and closes at once
#   unread   sends all, then neither reads nor closes for three seconds
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time sleep);

use constant {BEGIN_REQUEST => 1, PARAMS => 4, STDIN_DATA => 5};

my ($path, $mode, $body) = @ARGV;

sub record
{
	my ($type, $data) = @_;
	return pack('CCnnCC', 1, $type, 1, length $data, 0, 0) . $data;
}

sub param
{
	my ($name, $value) = @_;
	return pack('CC', length $name, length $value) . $name . $value;
}

my $params = param('REQUEST_METHOD', 'POST') . param('PATH_INFO', '/events')
	. param('HTTP_AUTHORIZATION', 'Basic dWVtOnNlY3JldA==')
	. param('CONTENT_LENGTH', length $body);
my $begin = record(BEGIN_REQUEST, pack('nCx5', 1, $mode eq 'keep' ? 1 : 0));
my $head = $begin . record(PARAMS, $params) . record(PARAMS, '');
my $part = $head . record(STDIN_DATA, substr($body, 0, 3));
my %sent = (
	nothing => '',
	header => substr($begin, 0, 5),
	begin => $begin,
	params => $begin . record(PARAMS, substr($params, 0, 20)),
	body => $part,
	short => $part . record(STDIN_DATA, ''),
);
my $data = $sent{$mode} // $head . record(STDIN_DATA, $body) . record(STDIN_DATA, '');

my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!\n";
my $start = time;
$socket->send($data) if length $data;
exit if $mode eq 'gone';
if ($mode eq 'unread') {
	sleep 3;
	exit;
}
my ($answer, $more) = ('', '');
$answer .= $more while $socket->sysread($more, 65536);
printf "%d %s\n", 1000 * (time - $start), $answer =~ /Status: (\d+)/ ? $1 : "none";

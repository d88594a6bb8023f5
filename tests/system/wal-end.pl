#!/usr/bin/perl
# Prints where in a write-ahead log of SQLite the last commit ends: wal-end.pl FILE.
# What lies behind it is of no transaction: the log's earlier life, or one that was
# being written. See "WAL-mode File Format" in SQLite's documentation.
use strict;
use warnings;

open my $log, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
my $data = do { local $/; <$log> } // '';
my $end = 0;

if (length $data >= 32) {
	my (undef, undef, $page, undef, $salts) = unpack 'N4a8', $data;
	my $frame = 24 + $page;

	for (my $at = 32; $at + $frame <= length $data; $at += $frame) {
		my (undef, $pages, $of) = unpack 'NNa8', substr $data, $at, 16;
		last if $of ne $salts;
		$end = $at + $frame if $pages;
	}
}
print "$end\n";

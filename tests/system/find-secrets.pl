#!/usr/bin/perl
# Private keys and other secrets in files of any kind, as grep would find words:
#
#	find-secrets.pl SECRETS FILE...
#
# SECRETS is a file with a secret a line: text, or hex:DIGITS for octets. Each is
# looked for as it is, in hexadecimal and in base64, wherever it may begin. Besides, every
# private key is looked for that is PKCS#8 (RFC 5958), ECPrivateKey (RFC 5915) or
# RSAPrivateKey (RFC 8017), as DER or as base64 of it, or PEM. Prints FILE:OFFSET: WHAT;
# exit status 0 if there is one, 1 if not, 2 if a file cannot be read.
use strict;
use warnings;

my @kinds = (
	['PKCS#8, EC key', qr/\x02\x01[\x00\x01]\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01/],
	['PKCS#8, RSA key', qr/\x02\x01[\x00\x01]\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01/],
	['ECPrivateKey', qr/\x30(?:[\x25-\x7f]|\x81.)\x02\x01\x01\x04[\x20\x30]/s],
	['RSAPrivateKey', qr/\x30\x82..\x02\x01\x00\x02\x82[\x01\x02]/s],
	['PEM', qr/PRIVATE KEY-----/],
	['base64 of PKCS#8, EC key', qr/AgEAMBMGByqGSM49AgEG/],
	['base64 of PKCS#8, RSA key', qr/IBADANBgkqhkiG9w0BAQEFAAS/],
	['base64 of ECPrivateKey', qr/MHcCAQEEI/],
	['base64 of RSAPrivateKey', qr#MII[A-Za-z0-9+/]{3}IBAAKCA[Qg]#],
);

sub base64
{
	my $text = pack 'u', $_[0];

	$text =~ s/^.//gm;
	$text =~ s/\n//g;
	return $text =~ tr#` -_#AA-Za-z0-9+/#r;
}

# What does not depend on the octets before and behind.
sub base64_forms
{
	my ($octets) = @_;

	return map {
		my $skip = (0, 2, 3)[$_];
		my $sure = int((length($octets) + $_) * 8 / 6) - $skip;
		substr base64(("\0" x $_) . $octets), $skip, $sure;
	} 0 .. 2;
}

my ($list, @files) = @ARGV;
my %form;
open my $secrets, '<:raw', $list or die "$list: $!\n";
while (my $line = <$secrets>) {
	chomp $line;
	next if $line eq '';
	my $octets = $line =~ /^hex:([0-9a-fA-F]+)$/ ? pack('H*', $1) : $line;
	my $hex = unpack 'H*', $octets;
	$form{$_} = "secret $." for $octets, $hex, uc $hex, base64_forms($octets);
}
close $secrets;
my $any = join '|', map { quotemeta } keys %form;
push @kinds, ['a secret', qr/$any/] if $any ne '';

my $found = 0;
for my $file (@files) {
	open my $in, '<:raw', $file or do { warn "$file: $!\n"; exit 2 };
	my $data = do { local $/; <$in> } // '';
	close $in;
	for my $kind (@kinds) {
		while ($data =~ /$$kind[1]/g) {
			my $what = $form{$&} // $$kind[0];
			print "$file:$-[0]: $what\n";
			$found = 1;
		}
	}
}
exit !$found;

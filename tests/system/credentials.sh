#!/bin/bash
# The credentials that the Escrow Gateway receives, judged by openssl: the contents of the
# certificates for every kind of key and CA; signing and encrypting mail with them; the names in
# them; which ones are kept, replaced and archived; and that the store's files do not show the keys.

eg_password='pässwort of the PKCS#12 files'
. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

dir=${conf%/*}
ca=$dir/ca.crt
n=0 # the last upload's number

# with SETTING...: the handler, started anew with them
with()
{
	handler_stop || true
	configure "$@"
	[[ -e $dir/${settings[ca.certificate]:-ca.crt} ]] || certprov_init
	ca=$dir/${settings[ca.certificate]:-ca.crt}
	ok "with $*" handler_start
}

# deliver CHANGE...: an event with these; sets $n
deliver()
{
	event_json "$@" >"$root/event.json"
	post_event "$root/event.json"
	n=$(eg_upload_count)
}

# delivered NAME CHANGE...
delivered()
{
	local name=$1

	shift
	deliver "$@"
	is "$status" 202 "$name"
	[[ $status == 202 ]] || diag "$body"
}

# A user that nobody has heard of, for settings that only new certificates have.
new_person()
{
	printf 'device=%s\nuser=%s\n' "$(new_uuid)" "$(new_uuid)"
}

# field OPTION: of the certificate in work
field()
{
	openssl x509 -in "$got.crt" -noout -nameopt RFC2253,utf8,-esc_msb "-$1" | sed 's/^[a-zA-Z]*=//'
}

# extension NAME: its name, whether it is critical, and what it says, in one line
extension()
{
	openssl x509 -in "$got.crt" -noout -ext "$1" 2>&1 |
		sed 's/^ *//; s/ *$//' | grep -v '^$' | paste -sd ' '
}

key_id()
{
	openssl x509 -in "$1" -noout -ext "$2" | sed -n '$s/[^0-9A-F]//gp'
}

seconds()
{
	date -d "$(openssl x509 -in "$1" -noout "-$2" | sed 's/.*=//')" +%s
}

# The kind of key, as in the configuration.
key_kind()
{
	openssl pkey -in "$got.key" -noout -text |
		sed -n 's/.*Private-Key: (\([0-9]*\) bit, 2 primes)/rsa-\1/p; s/.*NIST CURVE: P-/ec-p/p'
}

# What every certificate has.
check_certificate()
{
	local part=$1 mail=$2 usage='Digital Signature, Non Repudiation'

	unpack "$n" "$part"
	if [[ $part == encryption && $(key_kind) == rsa-* ]]; then
		usage='Key Encipherment'
	elif [[ $part == encryption ]]; then
		usage='Key Agreement'
	fi
	is "$(openssl x509 -in "$got.crt" -noout -pubkey)" "$(openssl pkey -in "$got.key" -pubout)" \
		"$part: key and certificate belong together"
	is "$(extension keyUsage)" "X509v3 Key Usage: critical $usage" "$part: key usage"
	is "$(extension extendedKeyUsage)" 'X509v3 Extended Key Usage: E-mail Protection' \
		"$part: for mail and nothing else"
	is "$(extension subjectAltName)" "X509v3 Subject Alternative Name: email:$mail" "$part: address"
	like "$(extension basicConstraints)" 'CA:FALSE|No extensions' "$part: no authority"
	like "$(field serial)" '^[0-9A-F]{16,40}$' "$part: serial number"
	is "$(field issuer)" "$(openssl x509 -in "$ca" -noout -nameopt RFC2253,utf8,-esc_msb -subject |
		sed 's/^subject=//')" "$part: issuer"
	is "$(key_id "$got.crt" authorityKeyIdentifier)" "$(key_id "$ca" subjectKeyIdentifier)" \
		"$part: the issuer's key id"
	isnt "$(key_id "$got.crt" subjectKeyIdentifier)" '' "$part: a key id of its own"
	ok "$part: not valid before the authority" \
		test "$(seconds "$got.crt" startdate)" -ge "$(seconds "$ca" startdate)"
	ok "$part: and not after it" test "$(seconds "$got.crt" enddate)" -le "$(seconds "$ca" enddate)"
	is "$(openssl x509 -in "$ca" -noout -fingerprint)" "$(openssl x509 -in "$got.ca" -noout -fingerprint)" \
		"$part: the chain is in the file"
}

verified()
{
	openssl verify -x509_strict -CAfile "$ca" -purpose "$1" "$got.crt"
}

# Signed with the one, encrypted to the other, and back.
mail_works()
{
	local sender

	printf 'Content-Type: text/plain\r\n\r\nGrüße, %s\r\n' "$RANDOM" >"$root/mail"
	unpack "$n" signing
	sender=$got
	openssl cms -sign -binary -in "$root/mail" -signer "$got.crt" -inkey "$got.key" -out "$root/signed" &&
		openssl cms -verify -binary -in "$root/signed" -CAfile "$ca" -purpose smimesign \
			-out "$root/verified" &&
		cmp "$root/mail" "$root/verified" || return 1
	unpack "$n" encryption
	openssl cms -encrypt -binary -aes256 -in "$root/signed" -out "$root/encrypted" "$got.crt" &&
		openssl cms -decrypt -binary -in "$root/encrypted" -recip "$got.crt" -inkey "$got.key" \
			-out "$root/decrypted" &&
		cmp "$root/signed" "$root/decrypted" || return 1
	# Against whom guesses at keys, a wrong one may give garbage instead of an error.
	openssl cms -decrypt -binary -in "$root/encrypted" -inkey "$sender.key" -out "$root/wrong" || true
	! cmp -s "$root/signed" "$root/wrong"
}

# check_pair ADDRESS SIGNING-KEY ENCRYPTION-KEY: all of that for the last upload
check_pair()
{
	local subject

	check_certificate signing "$1"
	is "$(key_kind)" "$2" "signing: key of type $2"
	ok 'signing: openssl verifies it for that' verified smimesign
	subject=$(field subject)
	check_certificate encryption "$1"
	is "$(key_kind)" "$3" "encryption: key of type $3"
	# OpenSSL 3.0's smimeencrypt knows of keyEncipherment alone.
	ok 'encryption: openssl verifies it for that' \
		verified "$([[ $3 == rsa-* ]] && echo smimeencrypt || echo any)"
	is "$(field subject)" "$subject" 'both have the same subject'
	ok 'mail can be signed, verified, encrypted and decrypted' mail_works
}

# parts N: which fields an upload has, and how many credentials in each
parts()
{
	jq -rc '.smime_certificates | map_values(length)' "$(eg_upload "$1")"
}

pkcs12_info()
{
	eg_pkcs12 "$n" "$1" | eg_openssl -info -noout 2>&1
}

ok 'everything starts' world ca.crl-url=http://pki.example.com/ca.crl \
	ca.issuer-url=http://pki.example.com/ca.cer \
	'certificates.policies=1.3.6.1.4.1.32473.1, 1.3.6.1.4.1.32473.2'

# --- the defaults

delivered 'the sample event'
check_pair zenny@example.com rsa-2048 rsa-2048
is "$(parts 1)" '{"signing":1,"encryption":1}' 'what is empty is left out'
for part in signing encryption; do
	unpack 1 $part
	is "$(field subject)" CN=zenny,O=Example "$part: subject"
	is "$(extension crlDistributionPoints)" \
		'X509v3 CRL Distribution Points: Full Name: URI:http://pki.example.com/ca.crl' "$part: CRL"
	is "$(extension authorityInfoAccess)" \
		'Authority Information Access: CA Issuers - URI:http://pki.example.com/ca.cer' "$part: AIA"
	is "$(extension certificatePolicies)" "X509v3 Certificate Policies: \
Policy: 1.3.6.1.4.1.32473.1 Policy: 1.3.6.1.4.1.32473.2" "$part: policies"
	is $((($(seconds "$got.crt" enddate) - $(seconds "$got.crt" startdate) + 1) / 86400)) 365 \
		"$part: a year"
	info=$(pkcs12_info $part)
	like "$info" 'MAC: sha1, Iteration 2048' "$part: legacy MAC"
	is "$(grep -c 'pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048' <<<"$info")" 2 \
		"$part: legacy encryption of key and certificates"
	info=$(eg_pkcs12 1 $part | eg_openssl -nodes 2>/dev/null)
	is "$(grep -c 'BEGIN PRIVATE KEY' <<<"$info")" 1 "$part: one key"
	is "$(grep -c 'BEGIN CERTIFICATE' <<<"$info")" 2 "$part: two certificates"
	is "$(grep -c "friendlyName: zenny@example.com ($part)" <<<"$info")" 2 "$part: a name for both"
	is "$(grep localKeyID <<<"$info" | sort | uniq -c | awk '{ print $1 }')" 2 \
		"$part: and the same local key id"
done
isnt "$(openssl pkey -in "$root/got/1-signing-0.key" -pubout)" \
	"$(openssl pkey -in "$root/got/1-encryption-0.key" -pubout)" 'two keys'

# --- one usage alone

with certificates.usages=signing certificates.key=ec-p256
mapfile -t person < <(new_person)
delivered 'signing only' "${person[@]}"
is "$(parts "$n")" '{"signing":1}' 'no field but signing'
with certificates.usages=encryption
delivered 'encryption only' "${person[@]}"
is "$(parts "$n")" '{"encryption":1}' 'no field but encryption'
with certificates.usages=

# --- PKCS#12, the modern way

with escrow.pkcs12=modern
delivered 'pkcs12 = modern'
check_pair zenny@example.com rsa-2048 rsa-2048
info=$(pkcs12_info signing)
like "$info" 'MAC: sha256, Iteration 10000' 'modern MAC'
is "$(grep -c 'PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256' <<<"$info")" 2 \
	'modern encryption'
with escrow.pkcs12-iterations=3000
delivered 'pkcs12-iterations = 3000'
like "$(pkcs12_info encryption)" 'MAC: sha256, Iteration 3000.*Iteration 3000, PRF.*Iteration 3000, PRF' \
	'everywhere'
with escrow.pkcs12= escrow.pkcs12-iterations=

# --- kinds of keys, kinds of authorities

while read -r signing encryption authority digest; do
	with "certificates.signing-key=$signing" "certificates.encryption-key=$encryption" \
		"ca.certificate=$authority.crt" "ca.key=$authority.key"
	mapfile -t person < <(new_person)
	delivered "$signing and $encryption from $authority" "${person[@]}" mail=keys@example.com
	check_pair keys@example.com "$signing" "$encryption"
	like "$(openssl x509 -in "$got.crt" -noout -text)" "Signature Algorithm: $digest" "$digest"
	[[ ! -e $dir/ec-p384.crt ]] || continue
	configure ca.certificate=ec-p256.crt ca.key=ec-p256.key
	certprov_init --key ec-p256 --subject 'CN=EC,O=Exämple'
	configure ca.certificate=ec-p384.crt ca.key=ec-p384.key
	certprov_init --key ec-p384
done <<-'END'
	rsa-3072 rsa-4096 ca sha256WithRSAEncryption
	rsa-4096 rsa-3072 ca sha256WithRSAEncryption
	ec-p256 ec-p256 ec-p256 ecdsa-with-SHA256
	ec-p384 ec-p384 ec-p384 ecdsa-with-SHA384
	ec-p256 rsa-2048 ec-p384 ecdsa-with-SHA384
	rsa-2048 ec-p384 ec-p256 ecdsa-with-SHA256
END
with certificates.signing-key= certificates.encryption-key= ca.certificate= ca.key= ca.crl-url= \
	ca.issuer-url= certificates.policies= certificates.validity=3650d
mapfile -t person < <(new_person)
delivered 'without extras, for longer than the authority lasts' "${person[@]}"
check_pair zenny@example.com ec-p256 ec-p256
for name in crlDistributionPoints authorityInfoAccess certificatePolicies; do
	like "$(extension $name)" '^No extensions' "no $name"
done
with certificates.validity=

# --- names: taken literally, or refused

# named NAME SUBJECT [CHANGE...]: certificates with that subject
named()
{
	local name=$1 subject=$2

	shift 2
	mapfile -t person < <(new_person)
	delivered "name $name" "${person[@]}" mail=x@example.com name="$name" "$@"
	unpack "$n" encryption
	is "$(field subject)" "$subject" 'is taken literally'
	is "$(openssl asn1parse -in "$got.crt" | grep -c ':organizationName$')" 1 'and adds no part'
}

# refused STATUS FIELD NAME CHANGE...
refused()
{
	local want=$1 field=$2 name=$3 before=$n

	shift 3
	mapfile -t person < <(new_person)
	deliver "${person[@]}" "$@"
	is "$status $(jq -r .field "$answer.body")" "$want $field" "$name: $want"
	is "$n" "$before" 'and nothing is uploaded'
}

letters=$(printf 'n%.0s' {1..64})
umlauts=$(printf 'ü%.0s' {1..64})
named 'x,O=Evil' 'CN=x\,O=Evil,O=Example'
named 'CN=root+OU=x' 'CN=CN=root\+OU=x,O=Example'
named '{mail}' 'CN={mail},O=Example'
named "O'Brien \"Bob\" <b>; #1\\" "CN=O'Brien \\\"Bob\\\" \\<b\\>\\; #1\\\\,O=Example"
named 'Jörg Weiß' 'CN=Jörg Weiß,O=Example'
named 'Ωμέγα 山田 😀' 'CN=Ωμέγα 山田 😀,O=Example'
named "$letters" "CN=$letters,O=Example"
named "$umlauts" "CN=$umlauts,O=Example"
named 'علی‌رضا' 'CN=علی‌رضا,O=Example' # a zero-width non-joiner, as Persian has it
# too long for a common name: cut
named "${letters}n" "CN=$letters,O=Example"
named "$letters$letters$letters$letters$letters$letters" "CN=$letters,O=Example"
named "${letters:20} and Company" "CN=${letters:20} and Company,O=Example"
named "${letters:10} and Company" "CN=${letters:10} and,O=Example"
named '' 'CN=x@example.com,O=Example' # the address stands for it
while read -r what name; do
	refused 422 EnrollmentUserName "$what in the name" mail=x@example.com "EnrollmentUserName:=\"$name\""
done <<-END
	bidi ab\\u202edc
	non-joiner ab\\u200cdc
	isolate ab\\u2066dc
	zero-width-space ab\\u200bdc
	line-break x\\r\\nO=Evil
	delete x\\u007f
END
post_event - <<<"$(event_json 'EnrollmentUserName:="x\u0000y"')"
like "$status" '^(400|422)$' "NUL in the name: $status"

# --- addresses

# addressed MAIL SAN
addressed()
{
	mapfile -t person < <(new_person)
	delivered "address $1" "${person[@]}" mail="$1"
	for part in signing encryption; do
		unpack "$n" $part
		is "$(extension subjectAltName)" "X509v3 Subject Alternative Name: $2" "$part: is in it"
	done
}

addressed "o'brien+tag@example.com" "email:o'brien+tag@example.com"
addressed 'Anna.Lee@EXAMPLE.com' 'email:Anna.Lee@example.com'
addressed 'u@bücher.example' 'email:u@xn--bcher-kva.example'
mapfile -t person < <(new_person)
delivered 'address jörg@bücher.example' "${person[@]}" mail='jörg@bücher.example'
for part in signing encryption; do
	unpack "$n" $part
	san=$(openssl x509 -in "$got.crt" -outform DER | openssl asn1parse -inform DER |
		sed -n '/X509v3 Subject Alternative Name/{n;s/.*\[HEX DUMP\]://p}')
	# SEQUENCE { [0] { OID 1.3.6.1.5.5.7.8.9, [0] { UTF8String } } }
	text=$(printf 'jörg@xn--bcher-kva.example' | od -An -tx1 | tr -d ' \n')
	like "${san,,}" "^30..a0..06082b06010505070809a0..0c..$text\$" "$part: SmtpUTF8Mailbox (RFC 9598)"
done
ok 'mail works for this user, too' mail_works
with 'identity.mail={EnrollmentEmailAddress}' 'identity.allowed-domains=example.com, xn--bcher-kva.example'
addressed 'u@bücher.example' 'email:u@xn--bcher-kva.example'
while read -r what mail; do
	refused 422 EnrollmentEmailAddress "$what" "EnrollmentEmailAddress:=\"$mail\""
done <<-END
	another-domain x@example.org
	a-subdomain x@mail.example.com
	no-address
	two-addresses a@example.com,b@example.com
	two-signs a@b@example.com
	a-space a b@example.com
	a-line-break a\\r\\nb@example.com
	a-bidi-control a\\u202eb@example.com
	angle-brackets <a@example.com>
	an-IP-address a@[127.0.0.1]
	a-long-one $letters$letters@example.com
END
with 'identity.mail={EnrollmentEmailAddress}, {EnrollmentUserName}@example.com' identity.allowed-domains=
# What is there and unusable is refused: the next template would be another mailbox.
while read -r what mail; do
	refused 422 EnrollmentEmailAddress "$what" "EnrollmentEmailAddress:=\"$mail\""
done <<-END
	a-display-name Zoe Doe <zoe@example.com>
	a-proxy-address SMTP:zoe@example.com
	two-addresses zoe@example.com;doe@example.com
	a-final-dot zoe@example.com.
	a-full-width-sign zoe\\uff20example.com
	full-width-letters \\uff5aoe@example.com
	a-decomposed-umlaut zo\\u0308e@example.com
	a-percent-route zoe%example.org@example.com
	a-bang-route example.org!zoe@example.com
	a-long-one ${letters}n@example.com
END
refused 422 EnrollmentEmailAddress 'an address that is a list' 'EnrollmentEmailAddress:=["zoe@example.com"]'
refused 422 EnrollmentUserName 'a principal name as user name' mail= name=zoe@corp.example.com
refused 422 EnrollmentUserName 'a domain in the user name' mail= 'name=CORP\zoe'
mapfile -t person < <(new_person)
delivered 'white space around an address' "${person[@]}" mail=$'\u00a0o\'brien@example.com\r\n\u200b'
unpack "$n" signing
is "$(extension subjectAltName)" "X509v3 Subject Alternative Name: email:o'brien@example.com" \
	'is not part of it'

# --- whose keys: the user's, the device's

# credentials N: serials of upload N: signing, encryption, archived
credentials()
{
	upload_table "$1" | head -n 1 | cut -d ' ' -f 3,6,9
}

user=$(new_uuid)
one=$(new_uuid)
two=$(new_uuid)
delivered 'the first device' user="$user" device="$one" mail=first@example.com
read -r signing1 encryption1 archived < <(credentials "$n")
is "$archived" - 'nothing is archived'
unpack "$n" encryption
old=$got
openssl cms -encrypt -binary -aes256 -in "$root/mail" -out "$root/old-mail" "$old.crt"
delivered 'the second device' user="$user" device="$two" mail=first@example.com
read -r signing2 encryption2 archived < <(credentials "$n")
is "$encryption2" "$encryption1" 'has the same encryption certificate'
isnt "$signing2" "$signing1" 'and another signing certificate'
is "$archived" - 'nothing is archived'
unpack "$n" encryption
is "$(openssl pkey -in "$got.key")" "$(openssl pkey -in "$old.key")" 'it is the same key'

delivered 'a new address' user="$user" device="$one" mail=second@example.com
read -r signing3 encryption3 archived < <(credentials "$n")
unlike "$signing3 $encryption3" "$signing1|$encryption1" 'gives new certificates'
like "$archived" "^($signing1,$encryption1|$encryption1,$signing1)\$" \
	"the old ones are archived: the user's and this device's"
unpack "$n" encryption
is "$(extension subjectAltName)" 'X509v3 Subject Alternative Name: email:second@example.com' \
	'for the new address'
delivered 'the second device with the new address' user="$user" device="$two" mail=second@example.com
read -r signing4 encryption4 archived < <(credentials "$n")
is "$encryption4" "$encryption3" 'has the new encryption certificate'
isnt "$signing4" "$signing2" 'and a new signing certificate'
like "$archived" "^($signing2,$encryption1|$encryption1,$signing2)\$" \
	"archived: the user's and its own, not the first device's"

# reads_old_mail: with one of those archived in the last upload
reads_old_mail()
{
	local i

	for ((i = 0; i < $(jq '.smime_certificates.archived | length' "$(eg_upload "$n")"); i++)); do
		unpack "$n" archived $i
		openssl cms -decrypt -binary -in "$root/old-mail" -recip "$got.crt" -inkey "$got.key" \
			-out "$root/decrypted" && cmp "$root/decrypted" "$root/mail" && return 0
	done
	return 1
}

ok 'so it can read old mail' reads_old_mail
three=$(new_uuid)
delivered 'a third device, which never saw the old address' user="$user" device="$three" \
	mail=second@example.com
is "$(credentials "$n" | cut -d ' ' -f 2,3)" "$encryption3 $encryption1" \
	'has the user'"'"'s encryption certificates, the old one archived'
ok 'and can read old mail' reads_old_mail
delivered 'another address again' user="$user" device="$one" mail=third@example.com
read -r _ encryption5 archived < <(credentials "$n")
is "$(tr , '\n' <<<"$archived" | sort)" \
	"$(printf '%s\n' "$signing1" "$encryption1" "$signing3" "$encryption3" | sort)" \
	'two of each are archived'
unlike "$archived" "$signing1.*($signing3|$encryption3)|$encryption1.*($signing3|$encryption3)" \
	'newest first'
with certificates.archive-max=1
delivered 'archive-max = 1' user="$user" device="$two" mail=third@example.com
is "$(credentials "$n" | cut -d ' ' -f 2)" "$encryption5" '(the same certificate)'
like "$(credentials "$n" | cut -d ' ' -f 3)" "^($signing4|$encryption3)\$" 'one, the newest'
with certificates.archive-max=

with certificates.signing-scope=user
user=$(new_uuid)
delivered 'signing-scope = user' user="$user" device="$(new_uuid)"
read -r signing1 encryption1 archived < <(credentials "$n")
delivered 'the second device' user="$user" device="$(new_uuid)"
is "$(credentials "$n")" "$signing1 $encryption1 -" 'has the same signing certificate, too'
delivered 'a new address' user="$user" device="$(new_uuid)" mail=new@example.com
read -r _ _ archived < <(credentials "$n")
like "$archived" "^($signing1,$encryption1|$encryption1,$signing1)\$" 'both are archived'
with certificates.signing-scope=

# --- certificates that expire

# later DAYS COMMAND...: the gateway and the handler live in the future
later()
{
	local days=$1

	shift
	LD_PRELOAD=$(faketime -f +0d printenv LD_PRELOAD) FAKETIME=+${days}d \
		FAKETIME_DONT_FAKE_MONOTONIC=1 "$@"
}

# libfaketime leaves what it shares behind when its process is killed.
restart()
{
	local pid
	local -a gone=("${pids[@]}")

	eg_stop
	handler_stop || true
	for pid in "${gone[@]}"; do
		rm -f "/dev/shm/faketime_shm_$pid" "/dev/shm/sem.faketime_sem_$pid"
	done
	eg_start && handler_start
}

expiry()
{
	with certificates.validity=2d certificates.renew-within=1d
	user=$(new_uuid)
	delivered 'certificates for two days' user="$user" device="$one" mail=first@example.com
	read -r signing1 encryption1 archived < <(credentials "$n")
	unpack "$n" encryption
	openssl cms -encrypt -binary -aes256 -in "$root/mail" -out "$root/old-mail" "$got.crt"
	ok '(a day later)' later 1 restart
	delivered 'while they are valid' user="$user" device="$one" mail=first@example.com
	is "$(credentials "$n")" "$signing1 $encryption1 -" 'they are kept'
	ok '(three days later)' later 3 restart
	delivered 'when they have expired' user="$user" device="$one" mail=first@example.com
	read -r signing2 encryption2 archived < <(later 3 credentials "$n")
	unlike "$signing2 $encryption2" "$signing1|$encryption1" 'they are replaced'
	like "$archived" "^($signing1,$encryption1|$encryption1,$signing1)\$" 'and archived'
	ok 'old mail can be read' reads_old_mail
	delivered 'another device by then' user="$user" device="$two" mail=first@example.com
	is "$(later 3 credentials "$n" | cut -d ' ' -f 2,3)" "$encryption2 $encryption1" \
		'has the new one, and the old one archived'
	ok '(today)' restart
}

if sanitized; then
	skip 'certificates that expire' 'AddressSanitizer and faketime do not go together'
else
	expiry
fi

# --- what lies in the files

ok '(the handler has opened the store)' wait_for 60 test -e "$dir/certprov.db-shm"
mapfile -t files < <(find "$dir" -name 'certprov.db*'; find "$root" -name '*.log')

# search FILE OFFSET LENGTH: whether those bytes of it, or their digits, are in one of $files
search()
{
	perl -e '
		use strict;
		my ($file, $offset, $length) = splice(@ARGV, 0, 3);
		sub content { local (@ARGV, $/) = (@_); binmode(ARGV); return <> }
		my $bytes = substr(content($file), $offset, $length);
		length($bytes) == $length or die "$file is too short";
		my $digits = unpack("H*", $bytes);
		my @with = grep {
			my $content = content($_);
			index($content, $bytes) >= 0 || index(lc $content, $digits) >= 0
		} @ARGV;
		print @with ? "found" : "not found"' "$1" "$2" "$3" "${files[@]}"
}

is "$(printf '%s\n' "${files[@]}" | sed -n 's/.*certprov.db//p' | sort | paste -sd ' ')" \
	' -shm -wal .lock' "(the store's files are there)"
keys=0
for key in "$root"/got/*.key; do
	openssl pkcs8 -topk8 -nocrypt -in "$key" -outform DER -out "$root/key.der"
	openssl x509 -in "${key%.key}.crt" -outform DER -out "$root/crt.der"
	is "$(search "$root/crt.der" 40 100)" found '(a certificate can be found)'
	if (($(stat -c %s "$root/key.der") > 500)); then
		is "$(search "$root/key.der" -100 100)" 'not found' 'an RSA key cannot'
	else
		is "$(search "$root/key.der" 36 32)" 'not found' 'an EC key cannot'
	fi
	keys=$((keys + 1))
done
ok 'not one of many' test "$keys" -gt 40
for secret in "$eg_password" 'identity password' webhook-password \
	"$(<"$dir/store.key")" "$(sed -n 3p "$dir/ca.key")"; do
	not_ok 'nor a password or another secret' grep -qF -- "$secret" "${files[@]}"
done

done_testing

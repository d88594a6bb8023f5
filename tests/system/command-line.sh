#!/bin/bash
# certprov: init, check, enroll, status, list; and its messages for wrong usage and for faults that
# it finds.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

binary=$(program certprov) || skip_all 'certprov is not built'
handler=$(program certprov.fcgi)
dir=${conf%/*}
umask 022

# run ARGS...: certprov with these alone; sets $code, $out and $err.
run()
{
	code=0
	timeout 60 "$binary" "$@" >"$root/out" 2>"$root/err" </dev/null || code=$?
	out=$(<"$root/out")
	err=$(<"$root/err")
}

with_conf()
{
	run -c "$conf" "$@"
}

# exits CODE NAME: how the last one ended
exits()
{
	is "$code" "$1" "$2"
	[[ $code == "$1" ]] || diag "out: $out"$'\n'"err: $err"
}

# says REGEX NAME: on standard error, in one line
says()
{
	like "$err" "^certprov: .*$1" "$2"
	is "$(wc -l <"$root/err")" 1 'in one line'
}

is_json()
{
	jq -e "$1" "$root/out" || {
		cat "$root/out"
		return 1
	}
}

sums()
{
	(cd "$dir" && sha256sum ca.crt ca.key store.key certprov.db)
}

mode()
{
	stat -c %a "$dir/$1"
}

# --- usage

run --help
exits 0 '--help'
like "$out" 'Usage: certprov ' 'says how to use it'
is "$err" '' 'on standard output'
run --version
like "$code $out" '^0 certprov [0-9]' '--version'
said=$out
run version
is "$code $out" "0 $said" 'so does the word'
run help
like "$code $out" '^0 Usage: certprov ' '... and the word help'
for command in init check enroll deliver revoke crl recover status list; do
	run --help
	like "$out" "$command" "--help has $command"
	run "$command" --help
	exits 0 "$command --help"
	like "$out" "^Usage: certprov .*$command" 'says how to use it'
	is "$err" '' 'on standard output'
	run -c /nowhere "$command" --nonsense
	exits 2 "$command with an unknown option"
	is "$err" "certprov $command: --nonsense: there is no such option
See: certprov $command --help" 'is told which, and where to read on'
done
while read -r -a arguments; do
	run -c /nowhere "${arguments[@]}"
	exits 2 "wrong usage: certprov ${arguments[*]}"
	isnt "$err" '' 'is explained'
	is "$out" '' 'on standard error'
done <<-'END'

	nonsense
	--nonsense
	init more
	init --key rsa-1024
	init --subject nonsense
	init --subject
	check more
	check --web-server
	enroll
	enroll one two
	status more
	list
	list nonsense
	list devices users
	list certificates --expiring soon
	list devices --expiring 30d
END
# wrong_words WORD... -- ANSWER: what is wrong, and what would be right
wrong_words()
{
	local words=()

	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	run -c /nowhere "${words[@]}"
	is "$code $err" "2 certprov ${words[0]}: $2
See: certprov ${words[0]} --help" "${words[*]}: what is wrong, and what is right"
}

wrong_words renew --within 30x -- '--within 30x: a time such as 30d or 12h is needed'
wrong_words renew --within -- '--within: a time such as 30d or 12h is needed'
wrong_words renew --within 1m -- '--within 1m: 1m is one minute; write 30d for a month'
wrong_words renew --within 90s -- '--within 90s: that is under an hour; write 30d for 30 days'
wrong_words list certificates --expiring 1m -- \
	'--expiring 1m: 1m is one minute; write 30d for a month'
wrong_words list certificates --expiring soon -- '--expiring soon: a time such as 30d or 12h is needed'
wrong_words list devices --expiring 30d -- '--expiring is for certificates only'
wrong_words list users --audit -- '--audit is for events only'
wrong_words list -- 'a list (devices, users, certificates, uploads or events) is needed'
wrong_words renew --dry-run=yes -- '--dry-run takes no value'
wrong_words renew --u someone -- '--u: several options begin so; write it in full'
wrong_words renew --withn 30d -- '--withn: there is no such option: did you mean within?'
wrong_words renew -x -- '-x: there is no such option'
wrong_words renew --json -- '--json needs --dry-run'
wrong_words reconcile --json -- '--json needs --dry-run'
wrong_words reconcile --rate 0 -- '--rate 0: a number from 1 to 1000, of uploads a second, is needed'
wrong_words renew --usage reading -- '--usage reading: signing or encryption is needed'
wrong_words renew --rate 0 -- '--rate 0: a number from 1 to 1000, of uploads a second, is needed'
wrong_words deliver --rate many -- \
	'--rate many: a number from 1 to 1000, of uploads a second, is needed'
wrong_words deliver --now --all -- '--now cannot be combined with --all, --user or --device'
wrong_words revoke --serial xyz -- '--serial xyz: a serial number in hexadecimal is needed'
wrong_words revoke --reason lost -- '--reason lost: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn, cACompromise or aACompromise is needed'
wrong_words revoke -- 'one of --serial, --device and --user is needed'
wrong_words recover --pkcs12 old -- '--pkcs12 old: modern or legacy is needed'
wrong_words recover --output a -o b -- \
	'--output b: given twice, it is not clear which one is meant'
wrong_words recover -- '--user is needed'
wrong_words crl --usage reading -- '--usage reading: signing or encryption is needed'
wrong_words init --key rsa-1024 -- \
	'--key rsa-1024: rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384 or a pkcs11: URL is needed'
wrong_words init --subject -- '--subject: a name such as "CN=Example CA,O=Example" is needed'
wrong_words enroll -- 'the name of a file, or - for standard input, is needed'
wrong_words status more -- 'more: one word too many'
run nonsense
like "$err" 'no command "nonsense"' 'an unknown command is named'

# --- which configuration

ok 'the gateway starts' eg_start
configure
run -c "$root/nowhere.conf" status
exits 78 'a configuration that is not there'
says "nowhere.conf: No such file" 'is named'
with_conf status
exits 78 'a store that is not there'
says "$dir/certprov.db: .*run: certprov init" 'says what to do'
with_conf init
exits 0 'init'
run status -c "$conf"
exits 0 '-c behind the command'
CERTPROV_CONFIG=$conf run status
exits 0 "\$CERTPROV_CONFIG"
CERTPROV_CONFIG=$root/nowhere.conf run -c "$conf" status
exits 0 '-c goes before it'
cd "$dir"
run -c certprov.conf status
exits 0 'a relative path'
cd "$OLDPWD"

# --- init

# ca_text: what openssl reads in the authority's certificate
ca_text()
{
	openssl x509 -in "$dir/ca.crt" -noout -nameopt RFC2253,-esc_msb,utf8 -subject -issuer -text
}

forget()
{
	rm -f "$dir"/{ca.crt,ca.key,store.key} "$dir"/certprov.db*
}

is "$(mode ca.key) $(mode store.key) $(mode certprov.db)" '600 600 600' 'what is secret is closed'
is "$(mode ca.crt)" 644 'what is public is open'
text=$(ca_text)
like "$text" 'subject=CN=Certificate Provider CA'$'\n''issuer=CN=Certificate Provider CA' \
	'the authority has a name and is its own issuer'
like "$text" 'Public-Key: \(3072 bit\)' 'and RSA-3072'
like "$text" 'Basic Constraints: critical'$'\n'' *CA:TRUE, pathlen:0' 'is an authority for leaves'
like "$text" 'Key Usage: critical'$'\n'' *Certificate Sign, CRL Sign'$'\n' 'and for nothing else'
like "$text" 'Subject Key Identifier' 'has a key id'
ok 'lasts ten years' openssl x509 -in "$dir/ca.crt" -noout -checkend $((3650 * 86400))
not_ok 'and no more' openssl x509 -in "$dir/ca.crt" -noout -checkend $((3655 * 86400))
ok 'is well signed' openssl verify -check_ss_sig -CAfile "$dir/ca.crt" "$dir/ca.crt"
is "$(openssl pkey -in "$dir/ca.key" -pubout)" "$(openssl x509 -in "$dir/ca.crt" -noout -pubkey)" \
	'its key is its own'

before=$(sums)
with_conf init
exits 0 'init again'
like "$out" 'CA: kept .*store: kept' 'keeps what is there'
with_conf init --subject CN=Other --key ec-p256
exits 0 'and so it does when it is asked for another one'
is "$(sums)" "$before" 'nothing has changed'

rm "$dir/store.key" "$dir"/certprov.db*
with_conf init
exits 0 'init with an authority'
like "$out" 'CA: kept .*store: made' 'makes what is missing'
is "$(sums | head -n 2)" "$(head -n 2 <<<"$before")" 'and keeps the authority'

for lost in ca.key ca.crt store.key certprov.db; do
	before=$(sums)
	mv "$dir/$lost" "$root/$lost"
	with_conf init
	exits 78 "init without $lost alone"
	says 'is there already; it is never overwritten' 'overwrites nothing'
	not_ok 'and makes nothing' test -e "$dir/$lost"
	mv "$root/$lost" "$dir/$lost"
	is "$(sums)" "$before" 'the rest has not changed'
done

while read -r key words; do
	forget
	with_conf init --key "$key" --subject 'CN=Ärzte \, CA,OU=S/MIME,O=Klinik,C=DE'
	exits 0 "init --key $key --subject"
	text=$(ca_text)
	like "$text" "$words" 'makes such a key'
	like "$text" 'subject=CN=Ärzte \\, CA,OU=S/MIME,O=Klinik,C=DE'$'\n' 'and that name'
	ok 'which openssl verifies' openssl verify -check_ss_sig -CAfile "$dir/ca.crt" "$dir/ca.crt"
done <<-'END'
	rsa-4096 Public-Key: \(4096 bit\)
	rsa-2048 Public-Key: \(2048 bit\)
	ec-p384 ASN1 OID: secp384r1
	ec-p256 ASN1 OID: prime256v1
END
forget
configure ca.key=missing/ca.key
with_conf init
exits 78 'init into a folder that is not there'
says "$dir/missing/ca.key: No such file" 'names it'
configure ca.key=
certprov_init

# --- check

# check_finds WHAT REGEX [CODE]: one check fails, with these words; all others hold
check_finds()
{
	local what=$1 regex=$2 exit=${3:-78}

	with_conf check
	exits "$exit" "check: $what"
	like "$(grep '^FAILED' "$root/out")" "^FAILED +$regex" 'is found'
	is "$(grep -c '^FAILED' "$root/out")" 1 'and nothing else'
	with_conf check --json
	is "$code $(jq -c 'map(select(.ok | not)) | length' "$root/out")" "$exit 1" 'with --json'
}

# spoil FILE: a copy is kept until repair
spoil()
{
	cp -p "$dir/$1" "$root/kept"
	spoiled=$1
}

repair()
{
	mv "$root/kept" "$dir/$spoiled"
}

with_conf check --web-server none
exits 0 'check'
is "$(grep -v '^ok ' "$root/out" | grep -c -v "^WARN *\(allowed-domains\|revocation list's URL\): ")" 0 'everything is right'
for what in configuration 'events.users-file' identity store CA 'PKCS#12 password' \
	'our client certificate' 'Escrow Gateway' clock; do
	ok "$what is checked" grep -q "^ok  *$what: " "$root/out"
done
like "$out" "CN=identity.* 364 days left.*SHA-1 $(thumbprint identity sha1) SHA-256 $(thumbprint identity)" \
	'our certificate, its end and its thumbprints'
is "$err" '' 'no word besides'
with_conf check --web-server none --json
exits 0 'check --json'
# shellcheck disable=SC2016 # jq's own
ok 'is JSON' is_json 'length == 17 and all(.ok and (.check | type) == "string" and (.text != ""))
	and (map(select(.warning) | .check) - ["disk"] == ["allowed-domains", "revocation list'"'"'s URL"])'

spoil uem.users
chmod 644 "$dir/uem.users"
check_finds 'an open users file' "events.users-file: $dir/uem.users has mode 0644"
rm "$dir/uem.users"
check_finds 'no users file' "events.users-file: $dir/uem.users: No such file"
repair
spoil store.key
chmod 640 "$dir/store.key"
with_conf check
exits 0 "a secret may be open to the service's group"
chmod 604 "$dir/store.key"
check_finds 'an open master key' "store: $dir/store.key has mode 0604"
tr 0-9 1-90 <"$root/kept" >"$dir/store.key"
chmod 600 "$dir/store.key"
check_finds 'another master key' "store: $dir/store.key is not the master key .* key-file"
echo nonsense >"$dir/store.key"
check_finds 'no master key at all' "store: $dir/store.key: a master key is 64 hexadecimal"
repair
spoil ca.key
cp "$pki/eg-ca.key" "$dir/ca.key"
check_finds "another authority's key" "CA: $dir/ca.crt, $dir/ca.key: "
ln -sf "$pki/eg-ca.key" "$dir/ca.key"
check_finds 'a link instead of a secret' "CA: $dir/ca.key is a symbolic link"
repair
spoil ca.crt
echo nonsense >"$dir/ca.crt"
check_finds 'a spoilt certificate' "CA: $dir/ca.crt: "
repair
spoil certificate.password
echo wrong >"$dir/certificate.password"
check_finds 'a wrong password' 'Escrow Gateway: .*certificate.pfx'
repair
spoil eg-ca.pem
pki_ca other-ca
cp "$pki/other-ca.crt" "$dir/eg-ca.pem"
check_finds 'another authority for the gateway' 'Escrow Gateway: .*issuer that we do not trust'
repair
configure 'identity.mail={EnrollmentMail}'
check_finds 'a template of what there is not' \
	"identity: $conf:[0-9]+: \[identity\] mail: \{EnrollmentMail\} is no known field; certprov.conf\(5\) lists them"
configure 'identity.mail={EnrollmentEmailAddress}'
configure 'identity.subject=CN={name},XX=y'
check_finds 'a subject of what there is not' "identity: $conf:[0-9]+: \[identity\] subject: .*XX"
configure 'identity.subject=CN={name},O=Example'
eg_unlist
check_finds 'a certificate that is not listed' "Escrow Gateway: .*$(thumbprint identity)" 1
eg_list identity
eg_stop
check_finds 'no gateway' "Escrow Gateway: .*$eg_url" 75
ok '(the gateway starts)' eg_start
if sanitized; then
	skip 'check in eleven years' 'AddressSanitizer and faketime do not go together'
else
	code=0
	faketime -f '+4000d' "$binary" -c "$conf" check >"$root/out" 2>&1 || code=$?
	is "$code" 78 'check in eleven years'
	ok 'finds that the authority has expired' grep -Eq '^FAILED +CA: .* ended .*: replace it' "$root/out"
	ok 'and our certificate too' grep -Eq '^FAILED +our client certificate: .*ended' "$root/out"
fi
configure certificates.validity=1x
with_conf check
exits 78 'check with a wrong configuration'
like "$out" "^FAILED  configuration: $conf:[0-9]+: \[certificates\] validity" 'finds just that'
with_conf check --json
ok 'with --json too' is_json 'length == 1 and .[0].ok == false'
configure certificates.validity=

# --- wrong configurations

# wrong SECTION.KEY=VALUE REGEX: file, line, section and key are named, and why
wrong()
{
	local name=${1%%=*} old line

	old=${settings[$name]:-}
	configure "$1"
	line=$(awk -v section="[${name%.*}]" -v key="${name##*.}" '
		/^\[/ { inside = $0 == section }
		inside && $1 == key { print NR }' "$conf")
	with_conf status
	exits 78 "wrong: $1"
	says "$conf:$line: \[${name%.*}\] ${name##*.}: .*$2" 'says where and why'
	configure "$name=$old"
}

# wrong_file NAME REGEX, the file on standard input
wrong_file()
{
	cat >"$dir/wrong.conf"
	run -c "$dir/wrong.conf" status
	exits 78 "wrong: $1"
	says "$dir/wrong.conf$2" 'says where and why'
}

wrong events.authenticate=maybe 'one of basic, web-server, none'
wrong events.max-body=2m 'from 1024 to 1048576'
wrong events.on-unenroll=forget 'keep'
wrong identity.source=oracle 'event'
wrong identity.allowed-domains=exämple.com 'xn--'
wrong certificates.usages=reading 'signing, encryption or both'
wrong certificates.signing-scope=world 'device, user'
wrong certificates.key=rsa-1024 'rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384'
wrong certificates.encryption-key=dsa 'rsa-2048'
wrong certificates.validity=365 'duration such as'
wrong certificates.policies=1.2.x 'OID'
wrong certificates.archive-max=many '[0-9]'
wrong certificates.key-pool=-1 '[0-9]'
wrong ca.type=cloud 'local'
wrong ca.crl-url=ldap://x 'http'
wrong escrow.url=http://eg.example.com 'https://'
wrong escrow.url=https://user:password@eg.example.com 'without credentials'
wrong escrow.pinned-key=sha256//AAAA 'base64'
wrong escrow.pkcs12=pfx 'legacy, modern'
wrong escrow.pkcs12-iterations=10 '1000'
wrong escrow.timeout=1h '300s'
wrong store.url=mysql://db 'sqlite:FILE'
wrong log.level=chatty 'error, warning, info, debug'
wrong log.target=printer 'auto, stderr, syslog, journal'
wrong_file 'an unknown key' ':2: unknown key "keys" in \[certificates\]: did you mean key\?' <<-'END'
	[certificates]
	keys = rsa-2048
END
wrong_file 'an unknown section' ':1: unknown section \[nonsense\]' <<<'[nonsense]'
wrong_file 'a key twice' ':3: \[log\] level is set twice, first in line 2' <<-'END'
	[log]
	level = info
	level = info
END
wrong_file 'a section twice' ':3: section \[log\] occurs twice, first in line 1' <<-'END'
	[log]
	[store]
	[log]
END
wrong_file 'a key outside' ':1: "level" is before the first' <<<'level = info'
wrong_file 'no key' ':3: neither' <<-'END'
	[log]
	; a comment
	level
END
wrong_file 'no value' ':2: \[log\] level: expected a value' <<<$'[log]\nlevel ='
wrong_file 'a control character' ':2: .*control' <<<$'[log]\nlevel = in\001fo'
wrong_file 'Latin-1' ': not UTF-8' <<<$'[identity]\nname = \xe4'
wrong_file 'no gateway' ': \[escrow\] url: missing' <<<$'[events]\nauthenticate = none'
wrong_file 'nothing in it' ': \[events\] users-file: missing' </dev/null

code=0
timeout 20 "$handler" -c "$dir/wrong.conf" -s "$root/wrong.sock" >"$root/out" 2>&1 || code=$?
is "$code" 78 'the handler ends with 78'
like "$(<"$root/out")" "error .*$dir/wrong.conf: \[events\] users-file: missing" 'and says why'
configure 'identity.mail={EnrollmentMail}'
code=0
timeout 20 "$handler" -c "$conf" -s "$root/wrong.sock" >"$root/out" 2>&1 || code=$?
is "$code" 78 'the same for what is found later'
like "$(<"$root/out")" "error .*$conf:[0-9]+: \[identity\] mail" 'with file and line'
configure 'identity.mail={EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'
mv "$dir/certprov.db" "$root/kept"
code=0
timeout 20 "$handler" -c "$conf" -s "$root/wrong.sock" >"$root/out" 2>&1 || code=$?
is "$code" 78 'and for a missing store'
like "$(<"$root/out")" 'error .*run: certprov init' 'which says what to do'
not_ok 'no socket is left' test -e "$root/wrong.sock"
mv "$root/kept" "$dir/certprov.db"

# --- list and status before anything was done

for what in devices users certificates uploads events; do
	with_conf list "$what"
	is "$code $out$err" '0 ' "list $what: nothing"
	with_conf list "$what" --json
	is "$code $out$err" '0 []' 'with --json'
done
with_conf status
exits 0 'status'
like "$out" ' 0  devices'$'\n' 'counts nothing'

# --- enroll

configure certificates.key=ec-p256
ok 'the handler starts' handler_start
ok 'nginx starts' front_start
device=$(jq -r .DeviceUUID "$sample_event")
user=$(jq -r .EnrollmentUserUUID "$sample_event")
with_conf enroll "$sample_event"
exits 0 'enroll'
ok 'prints the answer' is_json ".status == \"delivered\" and .device_uuid == \"$device\"
	and .user_uuid == \"$user\" and (.certificates | map(.usage)) == [\"signing\", \"encryption\"]"
is "$(eg_upload_count)" 1 'after an upload'
post_event "$sample_event"
is "$status $body" "202 $out" 'the same posted gives the same'
code=0
certprov enroll - <"$sample_event" >"$root/out" 2>"$root/err" || code=$?
is "$code $(<"$root/out")" "0 $out" 'and from standard input'
is "$(<"$root/err")" '' 'without a word besides'
is "$(eg_upload_count)" 3 'each with an upload'

event_json EventType=DeviceWipe EventId:=25 >"$root/event.json"
with_conf enroll "$root/event.json"
is "$code $out" '0 {"status":"recorded"}' 'a device that was wiped'
event_json EventType='Compliance Status Changed' EventId:=9 >"$root/event.json"
with_conf enroll "$root/event.json"
is "$code" 0 'another event'
ok 'is ignored' is_json '.status == "ignored" and .event_type == "Compliance Status Changed"'
with_conf list events --json
is "$(jq length "$root/out")" 4 'and leaves no trace'

with_conf enroll "$root/nowhere.json"
exits 2 'a file that is not there'
says 'nowhere.json: No such file' 'is named'
echo '{"EventId": 148, ' >"$root/event.json"
with_conf enroll "$root/event.json"
exits 1 'no JSON'
says 'JSON' 'says so'
event_json DeviceUUID=nonsense >"$root/event.json"
with_conf enroll "$root/event.json"
exits 1 'a wrong field'
says 'DeviceUUID' 'is named'
event_json device="$(new_uuid)" user="$(new_uuid)" name='no address' DeviceFriendlyName=lost >"$root/event.json"
with_conf enroll "$root/event.json"
exits 1 'no address'
says 'mail address' 'says so'
(head -c 65536 /dev/zero | tr '\0' ' ' && cat "$sample_event") >"$root/event.json"
with_conf enroll "$root/event.json"
exits 1 'a large event'
says 'larger than \[events\] max-body, 65536 bytes' 'says how large it may be'
event_json device="$(new_uuid)" DeviceFriendlyName='later' >"$root/later.json"
eg_script '503 7'
with_conf enroll "$root/later.json"
exits 75 'a gateway that is busy'
says "$eg_url.*503" 'is named'
with_conf status --json
ok 'the event is pending' is_json '.events_pending == 1 and .uploads_pending == 1'
eg_stop
with_conf enroll "$root/later.json"
exits 75 'no gateway'
says "$eg_url" 'is named'
ok '(the gateway starts)' eg_start
event_json device="$(new_uuid)" DeviceFriendlyName='never' >"$root/never.json"
eg_script '400'
with_conf enroll "$root/never.json"
exits 1 'a gateway that refuses'
says "$eg_url.*400" 'is named'
run -c "$root/nowhere.conf" enroll "$sample_event"
exits 78 'enroll without a configuration'

# --- status

with_conf status --json
exits 0 'status --json'
ok 'is an object of numbers' is_json 'all(.[]; type == "number")'
ok 'counts' is_json '.devices == 3 and .devices_unenrolled == 1 and .users == 1
	and .signing_active == 3 and .encryption_active == 1 and .events_pending == 2
	and .events_failed == 2 and .events_delivered == 3 and .events_recorded == 1
	and .uploads_pending == 1 and .uploads_failed == 1 and .uploads_delivered == 1'
with_conf status
exits 0 'status'
like "$out" ' 3  devices'$'\n'' +1  of them unenrolled' 'counts'
like "$out" 'oldest pending event has waited for 0 minutes' 'names the oldest'
like "$out" "pending: device .*$eg_url.*failed: device .*400" 'and the causes'
is "$err" '' 'without a word besides'

for command in status 'status --json' 'list events' 'list events --json' check; do
	code=0
	# shellcheck disable=SC2086 # a command and its option
	certprov $command >/dev/full 2>"$root/err" || code=$?
	is "$code" 1 "$command on a disk that is full"
	like "$(<"$root/err")" '^certprov: standard output could not' 'says so'
done

# --- list

event_json device="$(new_uuid)" user="$(new_uuid)" name=other DeviceFriendlyName=$'\e[31mred\tand\nwide' \
	>"$root/other.json"
with_conf enroll "$root/other.json"
exits 0 'a device with a strange name'

for what in devices users certificates uploads events; do
	with_conf list "$what" --json
	exits 0 "list $what --json"
	ok 'is an array of objects' is_json 'type == "array" and length > 0 and all(type == "object")'
	ok 'with a user in each' is_json 'all(has("user_uuid"))'
	[[ $what == users ]] || ok 'and a device' is_json 'all(has("device_uuid"))'
	names=$(jq -r '.[0] | keys_unsorted | join("\t")' "$root/out")
	count=$(jq length "$root/out")
	with_conf list "$what"
	is "$(head -n 1 "$root/out")" "$names" "list $what: the first line has the names"
	is "$(wc -l <"$root/out")" $((count + 1)) 'a line a row'
	is "$(awk -F '\t' '{ print NF }' "$root/out" | sort -u)" "$(awk -F '\t' '{ print NF }' <<<"$names")" \
		'values apart by tabs'
	not_ok 'and nothing that moves a terminal' grep -q '[[:cntrl:]]' <(tr -d '\t\n' <"$root/out")
	with_conf list "$what" --state nonsense
	exits 2 'a state that it does not have'
	says 'nonsense' 'is named'
	with_conf list "$what" --json --user "$(new_uuid)"
	is "$code $out" '0 []' 'an unknown user is nothing, and no failure'
done
is "$(rows devices) $(rows users) $(rows certificates) $(rows uploads) $(rows events)" '4 2 6 4 9' \
	'everything is listed'
for user in "$user" "${user^^}" zenny ZENNY; do
	is "$(rows devices --user "$user") $(rows users --user "$user") $(rows certificates --user "$user") \
$(rows uploads --user "$user") $(rows events --user "$user")" '3 1 4 3 7' "--user $user"
done
for device in "$device" "${device^^}" 'zenny iPod Touch Apple 12.4.5 GGK6'; do
	is "$(rows devices --device "$device") $(rows users --device "$device") \
$(rows certificates --device "$device") $(rows uploads --device "$device")" '1 1 1 1' "--device $device"
done
is "$(rows events --device later) $(rows uploads --device later --state pending)" '2 1' '--device later'
is "$(rows devices --state enrolled) $(rows devices --state unenrolled)" '3 1' 'devices by state'
is "$(rows users --state enrolled) $(rows users --state unenrolled)" '2 0' 'users by state'
is "$(rows certificates --state active) $(rows certificates --state archived) \
$(rows certificates --state revoked)" '6 0 0' 'certificates by state'
is "$(rows uploads --state pending) $(rows uploads --state delivered) $(rows uploads --state failed)" \
	'1 2 1' 'uploads by state'
is "$(rows events --state pending) $(rows events --state delivered) $(rows events --state recorded) \
$(rows events --state failed)" '2 4 1 2' 'events by state'
is "$(rows certificates --expiring 30d) $(rows certificates --expiring 366d)" '0 6' '--expiring'
is "$(rows certificates --expiring 366d --user other --state active)" 2 'all filters together'
with_conf list events --json
ok 'newest first' is_json 'map(.id) == (map(.id) | sort | reverse)'
ok 'names as they came' is_json 'any(.device_name == "\u001b[31mred\tand\nwide")'
with_conf list uploads --state failed --json
ok 'a cause for what has failed' is_json '.[0].cause | test("400")'
handler_stop || true

# --- another master key, and users that are not the service's

spoil store.key
tr 0-9 1-90 <"$root/kept" >"$dir/store.key"
for command in status 'list users' "enroll $sample_event"; do
	# shellcheck disable=SC2086 # a command and its argument
	with_conf $command
	exits 78 "another master key: $command"
	says "$dir/store.key is not the master key" 'is refused'
done
repair

# as USER COMMAND...: with no right of root's; sets $code, $out and $err
as()
{
	local name=$1

	shift
	code=0
	setpriv --reuid "$name" --regid nogroup --clear-groups --inh-caps=-all --bounding-set=-all \
		env ASAN_OPTIONS=detect_leaks=0 "$@" >"$root/out" 2>"$root/err" </dev/null || code=$?
	out=$(<"$root/out")
	err=$(<"$root/err")
}

# A world that the service's user may enter, which $root is not.
users_begin()
{
	public=$(mktemp -d /tmp/certprov-test.XXXXXX)
	scratch+=("$public")
	cp -r "$dir" "$public/etc"
	cp "$binary" "$sample_event" "$public"
	rm -f "$public"/etc/{ca.crt,ca.key,store.key} "$public"/etc/certprov.db*
	chmod 755 "$public" "$public/certprov" "$public/enrollment-event.json"
	chmod 750 "$public/etc"
	chown -R nobody "$public/etc"
	conf=$public/etc/certprov.conf
}

service()
{
	as nobody "$public/certprov" -c "$conf" "$@"
}

# What lies there and belongs to somebody else would lock the service out.
all_is_the_services()
{
	is "$(find "$public/etc" ! -user nobody)" '' "what is there is the service's after $1"
}

if ((EUID == 0)); then
	users_begin
	service init
	exits 0 'init as the user of the service'
	for command in status 'list events' check "enroll $sample_event"; do
		# shellcheck disable=SC2086 # a command and its argument
		with_conf $command
		exits 0 "$command as root"
		all_is_the_services "$command"
	done
	service enroll "$public/enrollment-event.json"
	exits 0 'the service goes on'
	service check
	exits 0 'and finds nothing wrong'
	as daemon "$public/certprov" -c "$conf" status
	exits 78 'another user'
	says "$conf: Permission denied" 'is told why'
	chmod 755 "$public/etc"
	as daemon "$public/certprov" -c "$conf" status
	exits 78 'the same where the folder is open'
	says "$public/etc/.*: Permission denied" 'is told why'
	with_conf status
	all_is_the_services 'that'
	chown root "$public/etc/store.key"
	chmod 600 "$public/etc/store.key"
	service status
	exits 78 'a secret that the service cannot read'
	says "$public/etc/store.key: Permission denied" 'is named'
	chown daemon "$public/etc/store.key"
	chmod 640 "$public/etc/store.key"
	chgrp nogroup "$public/etc/store.key"
	service status
	exits 78 "a secret that is another user's"
	says "store.key belongs to user [0-9]+; it must belong to root or to user $(id -u nobody)" \
		'is refused'
else
	skip 'users that are not the service' 'only root can be somebody else'
fi

# --- the configuration alone

cp "$conf" "$root/right.conf"
with_conf config test
exits 0 'config test: a right one'
with_conf config test-it
exits 2 'config with another word'
with_conf config
exits 2 'config without one'
printf '[log]\nlevel = chatty\nnonsense = 1\n' >>"$conf"
sed -i 's/^users-file = .*/users-file = none.users\nmax-body = 1/' "$conf"
with_conf config test
exits 78 'config test: three errors'
for word in 'max-body: expected' 'level: expected' 'unknown key "nonsense"'; do
	is "$(grep -Ec "^certprov: $conf:[0-9]+: .*$word" "$root/err")" 1 "... and $word is said, with its line"
done
cp "$root/right.conf" "$conf"
sed -i 's/^users-file = .*/users-file = none.users/; s/^identity-password-file = .*/identity-password-file = none/' "$conf"
with_conf config test
exits 78 'config test: two files that are not there'
is "$(grep -Ec '^certprov: (events.users-file|Escrow Gateway): .*none.*: No such file' "$root/err")" 2 '... and both are said'
cp "$root/right.conf" "$conf"

done_testing

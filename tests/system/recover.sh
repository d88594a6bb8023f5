#!/bin/bash
# certprov recover returns all of a user's encryption keys, readable by openssl and good for old
# mail; never signing keys; and no file after a refusal.

eg_password='pässwort of the PKCS#12 files'
. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

dir=${conf%/*}
out=$root/out
n=0

# recover ARGS...: sets $code, $printed and $said (standard error)
recover()
{
	code=0
	printed=$(certprov recover "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

# recovers NAME ARGS...: to a new file, $p12
recovers()
{
	local name=$1

	shift
	n=$((n + 1))
	p12=$out/$n.p12
	recover --user "$anna" --output "$p12" --reason 'a lost phone' "$@"
	is "$code $said" '0 ' "$name"
}

# refused CODE REGEX NAME ARGS...: and there is nothing new in $out
refused()
{
	local want=$1 regex=$2 name=$3 before

	shift 3
	before=$(contents)
	recover "$@"
	is "$code $printed" "$want " "$name"
	like "$said" "$regex" 'it says why'
	is "$(contents)" "$before" 'nothing was written'
}

# All files in $out, as they are.
contents()
{
	(cd "$out" && find . -type f -exec stat -c '%n %i %s %Y' {} + -exec sha256sum {} + | sort)
}

# post USER ADDRESS [DEVICE]: enrolls a device
post()
{
	event_json "user=$1" "mail=$2" "device=${3:-$phone}" >"$root/event.json"
	post_event "$root/event.json"
	is "$status" 202 "a device enrolls, for $2"
}

# serials USAGE USER: newest first
serials()
{
	certprov list certificates --json | jq -r --arg usage "$1" --arg user "$2" \
		'.[] | select(.usage == $usage and .user_uuid == $user) | .serial'
}

# take_apart PASSWORD-FILE: $p12, as $out.d/NN.crt and $out.d/NN.key, each pair as openssl finds it by
# localKeyID
take_apart()
{
	local bags=$root/bags id i=0

	rm -rf "$out.d"
	mkdir "$out.d"
	openssl pkcs12 -in "$p12" -passin "file:$1" -nodes >"$bags" 2>"$root/said" || return 1
	sed -n 's/^ *localKeyID: //p' "$bags" | awk '!seen[$0]++' >"$root/ids"
	while read -r id; do
		i=$((i + 1))
		sed -n "/localKeyID: $id/,/^-----END/p" "$bags" >"$root/pair"
		openssl x509 -in "$root/pair" -out "$out.d/$i.crt" || return 1
		openssl pkey -in "$root/pair" -out "$out.d/$i.key" || return 1
		cmp <(openssl x509 -in "$out.d/$i.crt" -noout -pubkey) \
			<(openssl pkey -in "$out.d/$i.key" -pubout) || return 1
	done <"$root/ids"
}

# Serial numbers of what was taken apart, in the order of the file.
taken()
{
	local file

	for file in "$out.d"/*.crt; do
		openssl x509 -in "$file" -noout -serial | sed 's/serial=//' | tr A-F a-f
	done
}

# decrypts N: the mail that was encrypted to the first certificate, with the Nth key of the file
decrypts()
{
	openssl cms -decrypt -binary -in "$root/encrypted" -recip "$out.d/$1.crt" \
		-inkey "$out.d/$1.key" -out "$root/decrypted" && cmp "$root/mail" "$root/decrypted"
}

mkdir "$out"
ok 'the world starts' world
anna=$(new_uuid)
bert=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)

# --- a history: two addresses that were given up, one revoked certificate, and the current one

post "$anna" anna@example.com
unpack 1 encryption
printf 'Content-Type: text/plain\r\n\r\nGrüße, %s\r\n' "$RANDOM" >"$root/mail"
ok 'a mail is encrypted to the first certificate' \
	openssl cms -encrypt -binary -aes256 -in "$root/mail" -out "$root/encrypted" "$got.crt"
post "$anna" anna.b@example.com
post "$anna" "o'brien@example.com" "$tablet"
ok 'the third is revoked' certprov revoke --serial "$(serials encryption "$anna" | head -n 1)"
post "$anna" "o'brien@example.com"
post "$bert" bert@example.com "$(new_uuid)"
mapfile -t history < <(serials encryption "$anna")
mapfile -t signing < <(serials signing "$anna")
is "${#history[@]}" 4 'four encryption certificates'
ok 'and signing certificates' test "${#signing[@]}" -gt 2

# --- all of it

recovers 'a file with all of them'
is "$(stat -c '%a %u' "$p12")" "600 $EUID" 'it is only ours'
is "$(find "$out" -type f)" "$p12" 'and alone'
is "$(wc -l <<<"$printed")" 4 'a line for each'
is "$(cut -d ' ' -f 1 <<<"$printed")" "$(printf '%s\n' "${history[@]}")" 'newest first'
is "$(cut -d ' ' -f 4- <<<"$printed")" "o'brien@example.com active
o'brien@example.com revoked
anna.b@example.com archived
anna@example.com archived" 'with address and state'
not_ok 'and the time' grep -Evq \
	'^[0-9a-f]+ 20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z 20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z ' <<<"$printed"
ok 'openssl finds each key with its certificate' take_apart "$eg/p12.password"
is "$(taken)" "$(printf '%s\n' "${history[@]}")" 'all of the history'
is "$(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -nokeys -cacerts | grep -c BEGIN)" 1 \
	'the authority is in it once'
ok 'as it is' cmp <(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -nokeys -cacerts |
	openssl x509) <(openssl x509 -in "$dir/ca.crt")
is "$(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -nokeys -clcerts |
	sed -n 's/ *friendlyName: //p' | sort)" \
	"$(awk '{ print $4, "(encryption)", substr($3, 1, 10), $1 }' <<<"$printed" | sort)" \
	'names that tell them apart'
ok 'the old mail can be read' decrypts 4
not_ok 'with that key alone' decrypts 1
not_ok 'without the password nothing' openssl pkcs12 -in "$p12" -passin pass:wrong -nodes
like "$(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -info -noout 2>&1)" \
	'MAC: sha256, Iteration 100000.*AES-256-CBC, Iteration 100000, PRF hmacWithSHA256' \
	'modern, though [escrow] says legacy'
if command -v certtool >/dev/null; then
	is "$(certtool --p12-info --inder --infile "$p12" --password "$(<"$eg/p12.password")" |
		grep -c 'BEGIN ENCRYPTED PRIVATE KEY')" 4 'certtool finds four keys'
else
	skip 'certtool finds four keys' 'certtool is not installed'
fi
if command -v pk12util >/dev/null; then
	mkdir "$root/nss"
	certutil -N -d "sql:$root/nss" --empty-password
	ok 'NSS imports it' pk12util -i "$p12" -d "sql:$root/nss" -w "$eg/p12.password"
	is "$(certutil -K -d "sql:$root/nss" | grep -c '^<')" 4 'with four keys'
else
	skip 'NSS imports it' 'pk12util is not installed'
fi

# --- what can be asked for

recovers 'one by its serial number, as people write it' \
	--serial "$(sed 's/../&:/g; s/:$//' <<<"${history[3]^^}")"
is "$(wc -l <<<"$printed") ${printed%% *}" "1 ${history[3]}" 'one line'
take_apart "$eg/p12.password"
is "$(taken)" "${history[3]}" 'it is alone in the file'
ok 'and reads the old mail' decrypts 1
printf 'another\n' >"$root/password"
chmod 600 "$root/password"
recovers 'the legacy form for those who need it' --pkcs12 legacy
like "$(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -info -noout 2>&1)" \
	'MAC: sha1, Iteration 2048.*pbeWithSHA1And3-KeyTripleDES' '... as uploads have it'
configure escrow.pkcs12=modern escrow.pkcs12-iterations=3000
recovers 'few iterations for the gateway'
like "$(openssl pkcs12 -in "$p12" -passin "file:$eg/p12.password" -info -noout 2>&1)" \
	'MAC: sha256, Iteration 100000.*Iteration 100000, PRF' '... are not for files'
configure escrow.pkcs12=modern escrow.pkcs12-iterations=120000
recovers 'a password of its own, and the modern form' --password-file "$root/password" --pkcs12 modern
ok 'opens with it' take_apart "$root/password"
not_ok 'and not with the other' take_apart "$eg/p12.password"
like "$(openssl pkcs12 -in "$p12" -passin pass:another -info -noout 2>&1)" \
	'MAC: sha256, Iteration 120000.*AES-256-CBC, Iteration 120000, PRF hmacWithSHA256' \
	'more iterations, as configured'
mv "$dir/ca.key" "$dir/ca.crt" "$root"
p12=$out/reason.p12
recover --user "${anna^^}" --output "$p12" --reason "$(printf 'ä%.0s' {1..250})"
is "$code $said" '0 ' 'without the authority, and a reason of 500 bytes'
mv "$root/ca.key" "$root/ca.crt" "$dir"
recover --user "$bert" -o "$out/bert.p12" --reason 'he left' -c "$conf"
is "$code $(wc -l <<<"$printed") ${printed##* }" '0 1 active' "another user's file has that user's only"
like "$(certprov list events --audit | sed -n 2p)" \
	"recovered.*$bert.*to $out/bert.p12 because \"he left\": encryption certificates [0-9a-f]*\$" \
	'the audit trail has who, for whom and why'
is "$(certprov list events --audit --json | jq -r '.[1].action')" recovery-requested \
	'... and that it was asked for, before there was a file'
# What could not be done was not done, and the trail says so.
recover --user "$bert" -o "$out/nowhere/bert.p12" --reason 'no folder'
isnt "$code" 0 'a file that cannot be made'
is "$(certprov list events --audit --json | jq -r '[.[0, 1].action] | join(" ")')" \
	'recovery-failed recovery-requested' '... is no recovery in the audit trail'
like "$(certprov list events --audit --json | jq -r '.[0].detail')" \
	"to $out/nowhere/bert.p12 because \"no folder\": .*No such file" '... which says why'
# What cannot be written down is not done.
code=0
said=$( (ulimit -f 4 && certprov recover --user "$anna" --output "$out/full.p12" --reason x) 2>&1) || code=$?
is "$code" 75 'a disk that is full: nothing is recovered without an entry in the audit trail'
like "$said" 'certprov.db: disk I/O error' 'it says so'
not_ok 'and leaves no part of it' test -e "$out/full.p12"
handler_stop || true
sqlite3 "$dir/certprov.db" "UPDATE credential SET state = 'revoked'"
"$top_builddir/tests/system/store_sign" "$conf"
recovers 'when all are revoked'
is "$(wc -l <<<"$printed")" 4 'all of them'

# --- refused

to=(--output "$out/refused.p12" --reason 'why not')
for serial in "${signing[@]}"; do
	refused 1 'signing keys are never recovered' 'a signing certificate' \
		--user "$anna" --serial "$serial" "${to[@]}"
done
refused 1 'unknown' 'an unknown user' --user "$(new_uuid)" "${to[@]}"
refused 1 'unknown' 'with a serial number, too' --user "$(new_uuid)" --serial "${history[0]}" "${to[@]}"
refused 1 'no encryption certificate with the serial number' "another's certificate" \
	--user "$bert" --serial "${history[0]}" "${to[@]}"
refused 1 'no encryption certificate with the serial number 0123' 'an unknown serial number' \
	--user "$anna" --serial 0123 "${to[@]}"
sqlite3 "$dir/certprov.db" "DELETE FROM revocation WHERE credential_id IN
		(SELECT id FROM credential WHERE user_uuid = '$bert');
	DELETE FROM credential WHERE user_uuid = '$bert' AND usage = 'encryption'"
refused 1 "user $bert has no encryption certificates" 'a user who only signs' --user "$bert" "${to[@]}"

refused 78 'is there already; it is never overwritten' 'a file that is there' \
	--user "$anna" --output "$p12" --reason 'once more'
ln -s "$out/elsewhere" "$root/link"
refused 78 'is there already' 'a symbolic link' --user "$anna" --output "$root/link" --reason x
refused 78 "$out/nowhere/file: No such file" 'a folder that is not there' \
	--user "$anna" --output "$out/nowhere/file" --reason x
chmod 644 "$root/password"
refused 78 "$root/password has mode 0644" 'a password that all can read' \
	--user "$anna" "${to[@]}" --password-file "$root/password"
refused 78 'nowhere: No such file' 'no password file' \
	--user "$anna" "${to[@]}" --password-file "$root/nowhere"
printf '\n' >"$root/empty"
chmod 600 "$root/empty"
refused 78 'empty.*must hold a password' 'an empty password' \
	--user "$anna" "${to[@]}" --password-file "$root/empty"
configure escrow.pkcs12-password-file=
refused 2 'never written without a password: .*--password-file.*pkcs12-password-file' 'no password' \
	--user "$anna" "${to[@]}"
configure escrow.pkcs12-password-file=p12.password

sqlite3 "$dir/certprov.db" "UPDATE credential SET usage = 'encryption', device_uuid = ''
	WHERE serial = '${signing[0]}'"
refused 1 "${signing[0]}" 'a signing key passed off as an encryption key' --user "$anna" "${to[@]}"

# --- wrong usage

wrong()
{
	refused 2 'certprov recover: .*See: certprov recover --help' "wrong usage: $1" "${@:2}"
}

user=(--user "$anna")
reason=(--reason why)
output=(--output "$out/refused.p12")
wrong 'nothing'
wrong 'no reason' "${user[@]}" "${output[@]}"
wrong 'no file' "${user[@]}" "${reason[@]}"
wrong 'no user' "${output[@]}" "${reason[@]}"
wrong 'no such form' "${user[@]}" "${output[@]}" "${reason[@]}" --pkcs12 strong
wrong 'a user without a name' --user '' "${output[@]}" "${reason[@]}"
wrong 'an empty reason' "${user[@]}" "${output[@]}" --reason ''
wrong 'a blank reason' "${user[@]}" "${output[@]}" --reason '   '
wrong 'a long reason' "${user[@]}" "${output[@]}" --reason "$(printf 'x%.0s' {1..501})"
wrong 'a reason of two lines' "${user[@]}" "${output[@]}" --reason $'one\ntwo'
wrong 'a reason that moves a terminal' "${user[@]}" "${output[@]}" --reason $'\e[31mred'
wrong 'a reason that turns text' "${user[@]}" "${output[@]}" --reason $'a\u202eb'
wrong 'a reason in Latin-1' "${user[@]}" "${output[@]}" --reason $'\xe4'
wrong 'an empty file name' "${user[@]}" --output '' "${reason[@]}"
wrong 'no serial number' "${user[@]}" "${output[@]}" "${reason[@]}" --serial xyz
wrong 'an empty serial number' "${user[@]}" "${output[@]}" "${reason[@]}" --serial ''
wrong 'one more' "${user[@]}" "${output[@]}" "${reason[@]}" more
wrong 'two users' "${user[@]}" "${output[@]}" "${reason[@]}" --user "$bert"
wrong 'two files' "${user[@]}" "${output[@]}" "${reason[@]}" --output "$out/two"
wrong 'a device' "${user[@]}" "${output[@]}" "${reason[@]}" --device "$phone"

not_ok 'no key and no password in what was logged' grep -rlaE 'PRIVATE KEY|pässwort' \
	"$root/said" "$root/handler.log"

done_testing

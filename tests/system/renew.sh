#!/bin/bash
# certprov renew replaces, archives and uploads expiring certificates, once for each device, even if
# a run is killed; and old mail can still be read.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

# renew ARGS...: sets $code, $said (standard error) and $printed.
renew()
{
	code=0
	printed=$(certprov renew "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

# enroll_many USERS DEVICES: of each; sets $users
enroll_many()
{
	local i j

	users=()
	for ((i = 0; i < $1; i++)); do
		users+=("$(new_uuid)")
		for ((j = 0; j < $2; j++)); do
			enroll "$(new_uuid)" "${users[-1]}"
		done
	done
}

# uploads_from N: for each device how many since the Nth one, each number once
uploads_from()
{
	upload_table "$1" | cut -d ' ' -f 1 | sort | uniq -c | awk '{ print $1 }' | sort -u |
		paste -sd ' '
}

# What the gateway had last for each enrolled device: device, signing, encryption.
at_gateway()
{
	upload_table | awk '{ last[$1] = $1 " " $3 " " $6 } END { for (d in last) print last[d] }' |
		sort
}

# The same, as the store has it active.
in_store()
{
	query "SELECT d.device_uuid || ' ' || s.serial || ' ' || c.serial FROM device AS d
		JOIN credential AS s ON s.state = 'active' AND s.usage = 'signing'
			AND s.user_uuid = d.user_uuid AND s.device_uuid = d.device_uuid
		JOIN credential AS c ON c.state = 'active' AND c.usage = 'encryption'
			AND c.user_uuid = d.user_uuid
		WHERE d.state = 'enrolled' ORDER BY 1"
}

gateway_has_newest()
{
	in_store >"$root/wanted"
	[[ -s $root/wanted ]] && at_gateway | grep -Fxf "$root/wanted" | diff - "$root/wanted"
}

# How many an owner has, as "active archived", each pair once; with a condition
per_owner()
{
	query "SELECT DISTINCT sum(state = 'active') || ' ' || sum(state = 'archived')
		FROM credential WHERE $1 GROUP BY user_uuid, usage, device_uuid"
}

# Those that were enrolled last.
of_users()
{
	printf "user_uuid IN ('%s')" "$(printf "%s','" "${users[@]}")"
}

end_leases()
{
	query 'UPDATE lease SET until = unixepoch()'
}

ok 'the world starts' world certificates.key=ec-p256 certificates.validity=10d \
	certificates.renew-within=2d
anna=$(new_uuid)
bert=$(new_uuid)
phone=$(new_uuid)
for device in "$phone" "$(new_uuid)" "$(new_uuid)"; do
	enroll "$device" "$anna" mail=anna@example.com name=anna
done
enroll "$(new_uuid)" "$bert" mail=bert@example.com name=bert
unpack 1 encryption
first=$got
printf 'read me later, %s\n' "$RANDOM" >"$root/mail"
openssl cms -encrypt -binary -aes256 -in "$root/mail" -out "$root/encrypted" "$first.crt"

# --- nothing to do, and what there would be

renew
is "$code $said$printed $(eg_upload_count)" '0  4' 'nothing ends: exit 0, no word, no upload'
renew --dry-run
is "$code $said$printed" '0 ' '--dry-run: no line'
renew --dry-run --json
is "$code $printed" '0 []' '--json: an empty array'

configure certificates.validity=365d certificates.renew-within=30d
before=$(query .dump)
renew --dry-run
is "$code $said" '0 ' '--dry-run: exit 0'
is "$(wc -l <<<"$printed")" 7 'a line each, behind their names'
like "$printed" $'^user_uuid\tdevice_uuid\tusage\tserial\tnot_after\tmail\n' 'the names'
line="$anna"$'\t'"$phone"$'\tsigning\t[0-9a-f]{16,40}\t20[0-9-]+T[0-9:]+Z\tanna@example.com'
like "$printed" "$line" 'a signing certificate'
line="$bert"$'\t-\tencryption\t[0-9a-f]{16,40}\t20[0-9-]+T[0-9:]+Z\tbert@example.com'
like "$printed" "$line" 'an encryption certificate is of no device'
renew --dry-run --json --user "$bert" --usage encryption
is "$(jq -r '.[] | [.user_uuid, .usage, .mail] | join(" ")' <<<"$printed")" \
	"$bert encryption bert@example.com" '--json, of one user and usage'
is "$(query .dump)" "$before" 'nothing was changed'
is "$(eg_upload_count)" 4 'nor uploaded'

# --- one user

bert_before=$(query "SELECT * FROM credential WHERE user_uuid = '$bert'")
renew --user "${anna^^}"
is "$code $said$printed" '0 1 done, 0 pending, 0 failed' '--user: exit 0, and the sum'
is "$(eg_upload_count) $(uploads_from 5)" '7 1' 'an upload for each of three devices'
is "$(upload_table 5 | column 2)" "$anna" 'all of that user'
is "$(upload_table 5 | count_column 3)" 3 'each with a signing certificate of its own'
is "$(upload_table 5 | count_column 6 7)" 1 'all with the same encryption certificate'
is "$(upload_table 1 | count_column 3 4) $(upload_table 1 | count_column 6 7)" '7 3' \
	'with new keys, and new serial numbers'
is "$(per_owner "user_uuid = '$anna'")" '1 1' 'the old ones are archived'
is "$(upload_table 5 | sed 's/.* //' | tr ',' '\n' | sort | uniq -c | awk '{ print $1 }' |
	sort -n | paste -sd ' ')" '1 1 1 3' \
	'and go along: encryption to every device, signing to its own'
is "$(query "SELECT * FROM credential WHERE user_uuid = '$bert'")" "$bert_before" \
	'the other user is untouched'
is "$(query 'SELECT count(*) FROM lease')" 0 'no lease is left'
is "$(certprov list events --audit --json --user "$anna" |
	jq -r '[.[] | select(.action == "renewed")] | length')" 4 'the audit trail has four renewals'
like "$(certprov list events --audit --user "$anna")" \
	"renewal, replaces $(query "SELECT serial FROM credential WHERE state = 'archived'
		AND user_uuid = '$anna' AND usage = 'encryption'")" 'and which ones were replaced'

# --- the rest, by usage

renew --usage signing
is "$code $(eg_upload_count)" '0 8' '--usage signing: the other user has an upload'
is "$(per_owner "user_uuid = '$bert' AND usage = 'signing'")" '1 1' 'signing is renewed'
is "$(per_owner "user_uuid = '$bert' AND usage = 'encryption'")" '1 0' 'encryption is not'
renew
is "$code $(eg_upload_count)" '0 9' 'without --usage: what was left'
before=$(query .dump)
renew
is "$code $said $(eg_upload_count)" '0  9' 'once more: nothing'
is "$(query .dump)" "$before" 'and nothing was changed'

# --- old mail on a new device

renew --user "$anna" --within 400d
is "$code $(per_owner "user_uuid = '$anna'")" '0 1 2' '--within 400d: renewed once more'
enroll "$(new_uuid)" "$anna" mail=anna@example.com name=anna
n=$(eg_upload_count)
decrypts()
{
	unpack "$n" "$@"
	openssl cms -decrypt -binary -in "$root/encrypted" -recip "$got.crt" -inkey "$got.key" \
		-out "$root/decrypted" 2>/dev/null && cmp -s "$root/mail" "$root/decrypted"
}
not_ok 'the current encryption key is another one' decrypts encryption
readers=0
for ((i = 0; i < $(jq '.smime_certificates.archived | length' "$(eg_upload)"); i++)); do
	! decrypts archived "$i" || readers=$((readers + 1))
done
is "$readers" 1 'mail for the first certificate is read with what a new device has received'

# --- the address is another one by now

configure 'identity.mail={EnrollmentUserName}@example.org'
renew --user "$bert" --within 400d
is "$code" 0 'another address by configuration: renewed'
is "$(upload_table | tail -n 1 | cut -d ' ' -f 5,8)" 'bert@example.org bert@example.org' \
	'for the new address'
like "$(certprov list events --audit --user "$bert")" \
	'renewed.*encryption certificate for bert@example.org: another address than bert@example.com' \
	'which the audit trail says'
configure identity.allowed-domains=example.com
renew --user "$bert" --within 400d
is "$code" 1 'an address that is not allowed: exit 1'
like "$said" "user $bert: failed: the latest enrollment: .*example.org are not allowed" 'and why'
is "$(per_owner "user_uuid = '$bert'")" '1 2' 'nothing was renewed'
configure identity.allowed-domains= \
	'identity.mail={EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'

# --- who is gone, and what is revoked

carol=$(new_uuid)
device=$(new_uuid)
enroll "$device" "$carol"
certprov revoke --device "$device" >/dev/null
renew --user "$carol"
is "$code $(query "SELECT usage FROM credential WHERE user_uuid = '$carol'
	AND state = 'active'")" '0 encryption' 'what is revoked is not renewed'
enroll "$device" '' EventId:=39 'EventType=Break MDM Confirmed' mail= name=
before=$(eg_upload_count)
renew --user "$carol" --within 400d
is "$code $(($(eg_upload_count) - before)) $(per_owner "user_uuid = '$carol'
	AND usage = 'encryption'")" '0 0 1 1' 'nor what is of an unenrolled device'

# --- usages and scopes that the configuration does not have

enroll_many 1 2
configure certificates.usages=encryption
renew --dry-run
is "$(grep -c encryption <<<"$printed") $(grep -c signing <<<"$printed")" '1 0' \
	'usages = encryption: no signing'
configure certificates.usages= certificates.signing-scope=user
renew --dry-run
is "$(grep -c encryption <<<"$printed") $(grep -c signing <<<"$printed")" '1 0' \
	"signing-scope = user: the devices' own are left"
handler_stop
configure certificates.validity=10d certificates.renew-within=2d
ok 'a handler for signing-scope = user' handler_start
enroll_many 1 2
configure certificates.validity=365d certificates.renew-within=30d
before=$(eg_upload_count)
renew --user "${users[0]}"
is "$code $(uploads_from $((before + 1)))" '0 1' 'signing-scope = user: an upload for each device'
is "$(upload_table $((before + 1)) | count_column 3 6)" 1 'with the same signing and encryption'
is "$(per_owner "$(of_users)")" '1 1' 'and one of each is archived'
handler_stop
configure certificates.signing-scope= certificates.validity=10d certificates.renew-within=2d
ok 'the handler, as before' handler_start
configure certificates.validity=365d certificates.renew-within=30d
renew
is "$code" 0 'the rest is renewed'

# --- the gateway is down

enroll_many 1 2
eg_mode 503
renew
is "$code" 75 'gateway down: exit 75'
like "$said" "device [0-9a-f-]{36}, user ${users[0]}: pending: Escrow Gateway" 'and why'
is "$(per_owner "$(of_users)")" '1 1' 'the certificates are renewed'
eg_mode
before=$(eg_upload_count)
query "UPDATE upload SET next_at = unixepoch() WHERE state = 'pending'"
certprov deliver
is "$(uploads_from $((before + 1))) $(($(eg_upload_count) - before))" '1 2' 'deliver uploads them'
ok 'the gateway has the newest of each device' gateway_has_newest

# --- a device's event is not finished

eg_mode 503
left=$(query "SELECT device_uuid FROM device WHERE user_uuid = '${users[0]}' LIMIT 1")
enroll "$left" "${users[0]}"
eg_mode
before=$(eg_upload_count)
renew --now --user "${users[0]}"
is "$code" 75 'a device has an open event: exit 75'
like "$printed" '^0 done, 1 pending, 0 failed' '... its user is not done'
like "$said" "device $left, user ${users[0]}: pending: an event of the device is not finished" \
	'... and the device is named'
is "$(uploads_from $((before + 1))) $(($(eg_upload_count) - before))" '1 1' \
	'the other device has its upload'
certprov deliver --now
ok '... deliver uploads the rest' gateway_has_newest

enroll_many 9 1
eg_stop
renew
is "$code" 75 'gateway gone: exit 75'
like "$said" 'stopped after [5-9] of 9' 'it gives up after some in a row'
eg_start
before=$(eg_upload_count)
query "UPDATE upload SET next_at = unixepoch() WHERE state = 'pending'"
renew
is "$code $said" '0 ' 'the next run finishes it'
is "$(uploads_from $((before + 1))) $(($(eg_upload_count) - before))" '1 9' \
	'one upload for each device'
is "$(per_owner "$(of_users)")" '1 1' 'each was renewed once'

# --- wrong

for wrong in '--within x' '--within' '--usage both' '--user' '--rate 0' '--json' 'extra'; do
	# shellcheck disable=SC2086 # several words
	renew $wrong
	is "$code" 2 "renew $wrong: wrong usage"
done
enroll_many 1 1
configure ca.key=none.key
renew
is "$code" 78 'no key of the authority: exit 78'
like "$said" 'none.key' 'which is named'
is "$(per_owner "$(of_users)")" '1 0' 'nothing was renewed'
configure ca.key=

# --- the authority ends soon

pki_ca short-ca -days 20
install -m 600 "$pki/short-ca.key" "${conf%/*}/short.key"
configure ca.certificate="$pki/short-ca.crt" ca.key=short.key
renew --user "${users[0]}"
is "$code $(query "SELECT DISTINCT not_after - unixepoch() <= 20 * 86400 FROM credential
	WHERE state = 'active' AND $(of_users)")" '0 1' 'what ends now ends with the authority'
is "$(per_owner "$(of_users)")" '1 1' '... after one renewal'
renew --dry-run --user "${users[0]}"
is "$code $printed" '0 ' '... which is not due again, as another would end no later'
renew --user "${users[0]}"
is "$code $(per_owner "$(of_users)")" '0 1 1' '... nor replaced each night'
configure ca.certificate= ca.key=
renew --user "${users[0]}"
is "$code $(per_owner "$(of_users)")" '0 1 2' 'an authority that lasts longer: it is due'

# --- two at once

enroll_many 12 2
eg_mode slow 0.1
before=$(eg_upload_count)
start renewing "$(program certprov)" -c "$conf" renew
renew
other=0
wait "${pids[renewing]}" || other=$?
unset 'pids[renewing]'
eg_mode
like "$code $other" '^(0|75) (0|75)$' 'two at once: neither touches what the other has leased'
renew
is "$code $said" '0 ' 'and then all is done'
is "$(uploads_from $((before + 1))) $(($(eg_upload_count) - before))" '1 24' \
	'one upload for each device'
is "$(per_owner "$(of_users)")" '1 1' 'each was renewed once'

# --- stopped by a signal: it finishes the events that it is working on

is_leased()
{
	(($(query 'SELECT count(*) FROM lease') > 0))
}
enroll_many 10 2
eg_mode slow 0.5
before=$(eg_upload_count)
start renewing "$(program certprov)" -c "$conf" renew
ok 'a renew is running' wait_for 120 is_leased
code=0
stop renewing || code=$?
eg_mode
is "$code" 75 'SIGTERM: exit 75'
is "$(query 'SELECT count(*) FROM lease')" 0 'no lease is left'
renew
is "$code $(uploads_from $((before + 1))) $(($(eg_upload_count) - before))" '0 1 20' \
	'the next run does the rest: one upload for each device'
is "$(per_owner "$(of_users)")" '1 1' 'each was renewed once'

# --- killed, again and again

enroll_many 30 2
eg_mode slow 0.02
kills=0
for pause in 0.1 0.2 0.3 0.15 0.25 0.1 0.2 0.3 0.15 0.25; do
	setsid "$(program certprov)" -c "$conf" renew --rate 100 >/dev/null 2>&1 &
	victim=$!
	wait_for 120 is_leased || true
	sleep "$pause"
	{
		kill -KILL -- "-$victim" && kills=$((kills + 1))
		wait "$victim" || true
	} 2>/dev/null
	end_leases
done
diag "$kills of 10 runs were killed before their end"
isnt "$kills" 0 'some runs were killed'
eg_mode
renew
is "$code $said" '0 ' 'the last run ends well'
is "$(per_owner "$(of_users)")" '1 1' 'each was renewed once: none skipped, none doubled'
is "$(query "SELECT DISTINCT upload.state FROM upload
	JOIN device USING (device_uuid, user_uuid) WHERE device.state = 'enrolled'")" delivered \
	'every upload is delivered'
ok 'the gateway has the newest of each device' gateway_has_newest
renew --dry-run
is "$printed" '' 'nothing is due any more'
ok 'the audit trail is whole' certprov check

done_testing

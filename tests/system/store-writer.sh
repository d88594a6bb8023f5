#!/bin/bash
# Somebody can write to the store, but has no master key. Rows that such a person inserts, alters or
# restores send no key away and undo no revocation. Judged by the gateway's uploads and by the
# revocation list.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

db=$root/certprov/certprov.db

# fails_with STATUS WHAT COMMAND...
fails_with()
{
	local code=0

	certprov "${@:3}" >"$root/output" 2>&1 || code=$?
	is "$code" "$1" "$2"
}

# check_finds ROW: certprov check fails and names the row.
check_finds()
{
	not_ok '... check fails' certprov check
	like "$(grep -A2 FAILED "$root/output" | tr -s ' \n' ' ')" \
		"$1.*by somebody without the master key" '... and names the row'
}

save()
{
	sqlite3 "$db" ".backup '$root/saved.db'"
}

restore()
{
	handler_stop >/dev/null
	rm -f "$db"-wal "$db"-shm
	cp "$root/saved.db" "$db"
	handler_start
}

world identity.allowed-domains=example.com
anna=$(new_uuid) bert=$(new_uuid) phone=$(new_uuid) evil=$(new_uuid)
enroll "$phone" "$anna" mail=anna@example.com
is "$status" 202 '(the victim enrolls)'
enroll "$evil" "$bert" mail=bert@example.com
is "$status" 202 '(and the attacker, a device of their own)'
ok '(check has no complaint of rows)' grep -q 'rows decide' <(certprov check 2>&1 || true)

# --- a device that was put in

save
query "INSERT INTO device SELECT '$evil', '$anna', 'enrolled', device_name, platform, event_id,
		enrolled_at, updated_at FROM device WHERE device_uuid = '$phone';
	INSERT INTO upload SELECT '$evil', '$anna', gateway, 'pending', 0, updated_at, NULL, '', '',
		0, '', 0, 0 FROM upload WHERE device_uuid = '$phone'"
before=$(uploads_to "$phone" "$anna")
send_all "$anna"
is "$(uploads_to "$evil" "$anna")" 0 'two INSERTs: no key of the victim leaves for the device'
like "$said" "device $evil, user $anna: was altered" '... the commands say why'
unlike "$said" "device $evil, user $anna: pending" '... and that no other try helps'
fails_with 1 '... exit status 1, not 75' deliver --device "$evil"
ok '(the victim is served)' test "$(uploads_to "$phone" "$anna")" -gt "$before"
ok '(and the attacker, with their own)' test "$(uploads_to "$evil" "$bert")" -gt 1
check_finds "device $evil, user $anna"
like "$(certprov status)" ' 1  uploads failed' '... status counts it'
like "$(certprov list uploads --state failed)" "$evil.*altered" '... and the list of uploads says why'
restore

# --- an event that was put in

query "INSERT INTO event (state, next_at, received_at, updated_at, request_id, kind, event_type,
		device_uuid, user_uuid, user_name, device_name, platform, payload, time)
	SELECT 'pending', 0, received_at, updated_at, request_id, kind, event_type, '$evil', '$anna',
		user_name, device_name, platform,
		CAST(replace(CAST(payload AS TEXT), '$phone', '$evil') AS BLOB), time
	FROM event WHERE device_uuid = '$phone'"
fails_with 1 '(an event that was put in: exit status 1)' deliver --now
send_all "$anna"
is "$(uploads_to "$evil" "$anna")" 0 'an event that was put in: nothing leaves'
like "$said" "event of device $evil, user $anna: was altered" '... deliver says why'
like "$(certprov status)" "event of device $evil.*altered" '... and status'
check_finds "event of device $evil, user $anna"
restore

# --- a certificate that was given another address

query "UPDATE credential SET mail = 'mallory@example.com' WHERE user_uuid = '$anna'"
before=$(uploads_to "$phone" "$anna")
fails_with 1 'a certificate that was altered: exit status 1' deliver --user "$anna"
like "$(<"$root/output")" "user $anna: failed: certificate .*was altered" '... deliver names it'
is "$(uploads_to "$phone" "$anna")" "$before" '... nothing leaves'
check_finds "certificate with serial .*user $anna"
restore

# --- a device that was given to another

query "PRAGMA foreign_keys = OFF; UPDATE device SET user_uuid = '$anna' WHERE device_uuid = '$evil';
	UPDATE upload SET user_uuid = '$anna' WHERE device_uuid = '$evil'"
send_all "$anna"
is "$(uploads_to "$evil" "$anna")" 0 'a device of another user: nothing leaves'
check_finds "device $evil"
restore

# --- a device that is enrolled again

jq --arg device "$phone" '.DeviceUUID = $device' "$top_srcdir/tests/data/events/break-mdm.json" \
	>"$root/event.json"
post_event "$root/event.json"
is "$status" 200 '(the phone is unenrolled)'
query "ATTACH '$root/saved.db' AS saved;
	INSERT OR REPLACE INTO device SELECT * FROM saved.device WHERE device_uuid = '$phone';
	INSERT OR REPLACE INTO row_mac SELECT * FROM saved.row_mac"
before=$(uploads_to "$phone" "$anna")
send_all "$anna"
is "$(uploads_to "$phone" "$anna")" "$before" 'a row from before the unenrollment: nothing leaves'
check_finds "device $phone, user $anna"
restore

# --- an address

query "UPDATE user SET mail = 'mallory@example.com' WHERE user_uuid = '$anna'"
event_json "device=$phone" "user=$anna" mail= >"$root/event.json"
post_event "$root/event.json"
like "$status" '^50[0-9]$' 'an address that was altered is not used'
is "$(query "SELECT count(*) FROM credential WHERE mail = 'mallory@example.com'")" 0 \
	'... no certificate is made for it'
check_finds "user $anna"
restore

# --- a revocation

listed()
{
	credentials='' request GET /ca.crl
	[[ $status == 200 ]] && openssl crl -inform DER -in "$answer.body" -noout -text |
		grep -qi "Serial Number: *$serial"
}

# No list without it is made, by whatever way.
listed_or_refused()
{
	if certprov crl >"$root/list" 2>"$root/said"; then
		(openssl crl -noout -text -in "$root/list" ||
			openssl crl -inform DER -noout -text -in "$root/list") 2>/dev/null |
			grep -qi "Serial Number: *$serial" || return 1
	fi
	credentials='' request GET /ca.crl
	[[ $status == 5* ]] || listed
}

serial=$(query "SELECT serial FROM credential WHERE user_uuid = '$anna' AND usage = 'signing'
	AND state = 'active'")
ok '(a signing certificate is revoked)' certprov revoke --serial "$serial" --reason superseded
ok '(the list has it)' listed
save
for change in "DELETE FROM revocation" \
	"DELETE FROM revocation; UPDATE credential SET state = 'active' WHERE serial = '$serial'" \
	"DELETE FROM revocation; UPDATE crl SET covers = 0; UPDATE credential SET state = 'archived'
		WHERE serial = '$serial'; DELETE FROM row_mac WHERE kind = 'revocation'" \
	"UPDATE revocation SET not_after = 0; UPDATE crl SET covers = 0"; do
	query "PRAGMA foreign_keys = OFF; $change"
	ok "${change%%[;$'\n']*} …: the list has it still, or there is none" listed_or_refused
	check_finds "$serial"
	restore
done
ok 'when the store is put right, all is well' listed
ok '... and check has no complaint of rows' grep -q 'rows decide' <(certprov check 2>&1 || true)

done_testing

#!/bin/bash
# The audit trail: who did what, when, under which request id; that certprov check
# notices whatever is altered in it, and that it has no secrets.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

db=$root/certprov/certprov.db

# post DEVICE USER [CHANGE...]: sets $status and $request
post()
{
	event_json "device=$1" "user=$2" "${@:3}" >"$root/event.json"
	post_event "$root/event.json"
	request=$(header X-Request-Id)
}

# entries FILTER FORMAT: of the whole trail, oldest first
entries()
{
	certprov list events --audit --json | jq -r "reverse | .[] | select($1) | $2"
}

# The latest one.
newest()
{
	certprov list events --audit --json | jq -r ".[0] | $1"
}

# What was done under an id, in one line
done_under()
{
	entries ".request_id == \"$1\"" .action | paste -sd ' '
}

serial_of()
{
	certprov list certificates --state active --json | jq -r --arg usage "$1" --arg user "$2" \
		'.[] | select(.usage == $usage and .user_uuid == $user) | .serial' | head -n 1
}

ok 'the world starts' world certificates.key=ec-p256
like "$(certprov check)" 'ok +audit trail: 0 entries, all as they were written' \
	'certprov check: nothing is in it yet'
anna=$(new_uuid)
phone=$(new_uuid)
me=$(id -un)

# --- an enrollment

post "$phone" "$anna" mail=anna@example.com
is "$status $(done_under "$request")" '202 received issued issued uploaded' \
	'an enrollment: four entries under the request id of its answer'
is "$(entries ".request_id == \"$request\"" '.user_uuid' | sort -u)" "$anna" '... of that user'
is "$(entries "(.action == \"received\" or .action == \"uploaded\") and
	.request_id == \"$request\"" .device_uuid | sort -u)" "$phone" '... and that device'
is "$(entries '.action == "received"' .detail)" 'MDM Enrollment Complete' 'received: the type'
is "$(entries '.action == "issued"' '.serial + ": " + .detail')" \
	"$(serial_of signing "$anna"): signing certificate for anna@example.com
$(serial_of encryption "$anna"): encryption certificate for anna@example.com" \
	'issued: serial, usage and address of each'
is "$(entries '.action == "uploaded"' .detail)" \
	"$eg_url signing:$(serial_of signing "$anna"),encryption:$(serial_of encryption "$anna")" \
	'uploaded: where to, and what'
like "$(entries true .actor | sort -u)" "^certprov\.fcgi by $me( \(login [^)]*\))?\$" 'by the handler'
like "$(entries true .at | sort -u | head -n 1)" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$' 'when'
is "$(entries true .id | paste -sd ' ')" '1 2 3 4' 'numbered without a gap'

# --- what else happens to it

eg_mode 503
post "$phone" "$anna" mail=zenny@example.com
eg_mode
is "$status $(done_under "$request")" '503 received issued issued' \
	'another address, the gateway is busy: no word of an upload that will be tried again'
like "$(entries ".request_id == \"$request\"" .detail)" \
	'signing certificate for zenny@example.com: another address than anna@example.com, replaces [0-9a-f]+' \
	'... and why there are new certificates'
certprov deliver --now
is "$(done_under "$request")" 'received issued issued uploaded' \
	'certprov deliver finishes it, under the same request id'
like "$(newest .actor)" "^certprov by $me" '... by the command'
eg_script 422
post "$phone" "$anna"
is "$status $(done_under "$request")" '502 received refused refused' 'refused by the gateway'
like "$(newest .detail)" 'status 422' '... and how'
post "$phone" "$anna" 'mail=a b@example.com'
is "$status $(done_under "$request")" '422 received refused' 'refused by us'
like "$(newest .detail)" 'no usable mail address' '... and why'
before=$(newest .id)
post "$phone" "$anna" EventId:=178 EventType=x
post "$phone" x
is "$(newest .id)" "$before" 'what asks nothing of us, or is malformed, leaves no entry'
event_json "device=$phone" "user=$anna" >"$root/event.json"
certprov enroll "$root/event.json" >"$root/enroll.json"
is "$(newest '.action + " " + .device_uuid')" "uploaded $phone" 'certprov enroll'
run=$(newest .request_id)
isnt "$run" '' '... has an id'
is "$(done_under "$run")" 'received uploaded' '... which is its own'
like "$(newest .actor)" "^certprov by $me" '... and who it was'

if [[ $(cat /proc/self/loginuid 2>/dev/null) =~ ^(|4294967295)$ ]]; then
	SUDO_USER=daemon certprov enroll "$root/event.json" >"$root/enroll.json"
	is "$(newest .actor)" "certprov by $me (sudo by daemon)" '... the one who came by sudo, too'
	SUDO_USER='nobody-knows (login root)' certprov enroll "$root/event.json" >"$root/enroll.json"
	is "$(newest .actor)" "certprov by $me" '... but no name that nobody has'
else
	skip 'sudo' 'the kernel knows the login'
fi

serial=$(serial_of encryption "$anna")
certprov revoke --serial "$serial" --reason keyCompromise >"$root/revoke.out"
is "$(newest '.action + " " + .serial')" "revoked $serial" 'certprov revoke'
like "$(newest .detail)" keyCompromise '... and why'
certprov recover --user "$anna" --output "$root/keys.p12" --reason 'case 4711' >"$root/recover.out"
is "$(newest '.action + " " + .user_uuid')" "recovered $anna" 'certprov recover'
like "$(newest .detail)" 'case 4711' '... and why'
post "$phone" '' EventId:=39 'EventType=Break MDM Confirmed' mail= name=
is "$status $(done_under "$request")" '200 received unenrolled' 'an unenrollment'
is "$(newest .device_uuid)" "$phone" '... of that device'
certprov rekey >"$root/rekey.out" 2>&1
is "$(newest .action)" rekeyed 'certprov rekey'
post "$(new_uuid)" "$(new_uuid)" name=bert
is "$status $(done_under "$request")" '202 received issued issued uploaded' '... and it goes on after'

# --- lists

is "$(certprov list events --audit --device "$phone" --json |
	jq -r '[.[].device_uuid] | unique | join(" ")')" "$phone" '--device: of that one'
is "$(certprov list events --audit --user "${anna^^}" --json |
	jq -r '[.[].user_uuid] | unique | join(" ")')" "$anna" '--user: of that one'
is "$(certprov list events --audit | head -n 1 | tr '\t' ' ')" \
	'id at action request_id actor device_uuid user_uuid serial detail' 'as text, a line each'
count=$(newest .id)
is "$(certprov list events --audit | wc -l)" $((count + 1)) '... all of it'
for wrong in 'users --audit' 'certificates --audit' 'audit'; do
	code=0
	# shellcheck disable=SC2086 # words
	certprov list $wrong >/dev/null 2>&1 || code=$?
	is "$code" 2 "list $wrong: wrong usage"
done

# --- no secrets

certprov list events --audit --json >"$root/audit.log"
sqlite3 "$db" 'SELECT * FROM audit' >"$root/audit-rows.log"
ok '(the trail is there to be searched)' grep -q 'case 4711' "$root/audit-rows.log"
not_ok 'no password, key or piece of an upload is in it' told_secrets
mv "$root/audit.log" "$root/audit.before"
eg_pkcs12 1 signing | base64 -w 0 >"$root/audit.log"
ok '(one would be found)' told_secrets
mv "$root/audit.before" "$root/audit.log"

# --- nobody alters it unseen

like "$(certprov check)" "ok +audit trail: $count entries, all as they were written" \
	'certprov check reads all of it'
for change in "UPDATE audit SET detail = 'x'" 'DELETE FROM audit WHERE id = 3'; do
	not_ok "${change%% *}: refused by the store" sqlite3 "$db" "$change"
	like "$(<"$root/output")" 'the audit trail is append-only' '... and why'
done
handler_stop
sqlite3 "$db" "VACUUM INTO '$root/whole.db'"

# altered REGEX SQL: past the triggers
altered()
{
	rm -f "$db" "$db"-*
	cp "$root/whole.db" "$db"
	sqlite3 "$db" "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; $2"
	diag "$2"
	check_fails 'audit trail' "$1"
}

altered 'entry 3 of the audit trail was altered' \
	"UPDATE audit SET detail = replace(detail, 'anna', 'bert') WHERE id = 3"
altered 'entry 1 of the audit trail was altered' 'UPDATE audit SET at = at - 3600 WHERE id = 1'
altered "entry $count of the audit trail was altered" \
	"UPDATE audit SET actor = 'somebody' WHERE id = $count"
altered 'entry 2 of the audit trail is missing' 'DELETE FROM audit WHERE id = 2'
altered "entry $count of the audit trail and maybe more are missing" \
	"DELETE FROM audit WHERE id = $count"
altered 'entry 3 of the audit trail was altered' \
	'CREATE TEMP TABLE t AS SELECT * FROM audit WHERE id IN (3, 4);
	DELETE FROM audit WHERE id IN (3, 4);
	INSERT INTO audit SELECT 7 - id, at, action, request_id, actor, device_uuid, user_uuid,
		serial, detail, mac FROM t'
altered "entry $((count + 1)) of the audit trail was altered" \
	"INSERT INTO audit SELECT $count + 1, at, action, request_id, actor, device_uuid, user_uuid,
		serial, detail, mac FROM audit WHERE id = $count"
altered 'entry 1 of the audit trail and maybe more are missing' 'DELETE FROM audit'
rm -f "$db" "$db"-*
cp "$root/whole.db" "$db"
ok 'as it was: certprov check holds' certprov check

done_testing

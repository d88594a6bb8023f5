#!/bin/bash
# An external CA that decides later, is busy, or loses its answers: it gets the same
# request until it has answered, and in the end there is one certificate.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"
# shellcheck source=tests/system/lib-store.sh
. "$top_srcdir/tests/system/lib-store.sh"

CERTPROV_BINDIR=$top_builddir/tests/stops
export CERTPROV_TEST_STOPS=$root/stops
db=$root/certprov/certprov.db
workers=4
mkdir "$CERTPROV_TEST_STOPS"

# A new user with a device: sets $user, $device, and the files that post and again send.
somebody()
{
	user=$(new_uuid)
	device=$(new_uuid)
	event_json "device=$device" "user=$user" >"$root/event.json"
	ca_log_from_here
	issued=$(ca_certificates_issued)
	uploads=$(eg_upload_count)
}

post()
{
	post_event "$root/event.json"
}

# deliver ARGS...: sets $code
deliver()
{
	code=0
	certprov deliver "$@" >"$root/deliver.log" 2>&1 || code=$?
}

# As if the CA had not said when to come again.
due()
{
	query 'UPDATE request SET next_at = 0'
}

event_state()
{
	certprov list events --json --device "$device" | jq -r '.[0].state'
}

# asked USAGE: how often, since somebody()
asked()
{
	ca_log 'select(.usage == "'"$1"'") | .usage' | wc -l
}

# keys USAGE: how many different ones
keys()
{
	ca_log 'select(.usage == "'"$1"'") | .key' | sort -u | wc -l
}

# How often the CA rejected our credentials, since somebody()
rejected()
{
	ca_log 'select(.status == 401) | .path' | wc -l
}

# What the audit trail has of the user: "issued 2".
audited()
{
	certprov list events --audit --json --user "$user" --state "$1" | jq length
}

# is_done NAME: there is one certificate of each usage, uploaded once, and nothing is left
is_done()
{
	is "$(event_state)" delivered "$1: delivered"
	is "$(query "SELECT group_concat(usage || ' ' || state, ', ') FROM
		(SELECT * FROM credential WHERE user_uuid = '$user' ORDER BY usage)")" \
		'encryption active, signing active' '... one certificate of each usage'
	is "$(query 'SELECT count(*) FROM request')" 0 '... no request is left'
	is "$(eg_upload_count)" $((uploads + 1)) '... uploaded once'
	ok '... each with its key' certificates_fit "$db"
}

ok 'the authority starts' ca_start
mapfile -t words < <(ca_settings est)
ok 'everything starts' world certificates.key=ec-p256 ca.timeout=60s escrow.timeout=5s "${words[@]}"

# --- it decides later

somebody
ca_mode pending 3
post
is "$status" 503 'pending: 503'
is "$(header retry-after)" 3 '... with the Retry-After of the CA'
like "$body" 'Waiting for the certificate authority' '... and what it waits for'
is "$(event_state)" pending '... the event is pending'
is "$(asked signing) $(asked encryption)" '1 1' '... the CA has both requests'
is "$(figure requests_pending)" 2 '... status counts them'
like "$(figure oldest_request_seconds)" '^[0-9]+$' '... and knows since when'
is "$(audited requested)" 2 '... the audit trail has them'
query 'UPDATE event SET next_at = unixepoch() + 600; UPDATE request SET next_at = unixepoch() + 600'
deliver
is "$code $(<"$root/deliver.log")" '0 ' 'before it is due, deliver does nothing'
post
is "$status" 503 'the same event again: 503'
like "$(header retry-after)" '^(5[0-9][0-9]|600)$' '... until then'
is "$(asked signing) $(asked encryption)" '1 1' '... and the CA is not asked'
ok 'a new master key' certprov rekey
query 'UPDATE event SET next_at = unixepoch() - 1; UPDATE request SET next_at = unixepoch() - 1'
deliver
is "$code" 75 'when it is due, deliver asks: exit 75'
deliver --now
is "$code" 75 'with --now it asks at any time'
is "$(asked signing) $(asked encryption)" '3 3' '... both, each time'
deliver --now
is "$code" 0 'then it is issued'
is_done 'pending'
is "$(keys signing) $(keys encryption)" '1 1' '... for the key that it began with'
is "$(ca_certificates_issued)" $((issued + 2)) '... each once'
is "$(audited issued) $(audited dropped)" '2 0' '... as the audit trail has it'
is "$(figure requests_pending)" 0 '... and the status'

# --- many at the same time

events decade0 8 1
ca_log_from_here
ca_mode slow 1
post_many 8 "$root"/decade0/???
is "$statuses" 8x202 'eight devices of a user at the same time'
is "$(asked encryption) $(asked signing)" '1 8' '... the CA is asked once for the user'
is "$(query "SELECT count(*) FROM credential WHERE user_uuid LIKE 'decade0%'
	AND usage = 'encryption'")" 1 '... who has one encryption key'
ca_mode

# What waits for a person at the CA is no sign that somebody is down.
events feed000 20 20
ca_mode pending forever
post_many 4 "$root"/feed000/???
is "$statuses" 20x503 'twenty wait for the decision of the CA'
deliver --now
is "$code" 75 'deliver asks for them'
is "$(query "SELECT count(*) FROM event WHERE user_uuid LIKE 'feed000%' AND tries = 2")" 20 \
	'... for all of them'
ca_mode
deliver --now
is "$code $(query 'SELECT count(*) FROM request')" '0 0' '... and finishes them'

# --- killed in mid-request

for point in requested issued; do
	somebody
	: >"$CERTPROV_TEST_STOPS/$point"
	post
	is "$status" 502 "the worker is killed ($point)"
	ok '... there' test ! -e "$CERTPROV_TEST_STOPS/$point"
	deliver --now
	is "$code" 0 '... deliver finishes it'
	is_done "killed ($point)"
	is "$(keys signing) $(keys encryption)" '1 1' '... with the same key'
done

somebody
ca_mode slow 600
rm -f "$ca/state/waiting"
(answer=$root/killed post && echo "$status" >"$root/killed.status") &
job=$!
ok 'in the middle of a request' wait_for 60 test -e "$ca/state/waiting"
ca_stop
wait "$job"
is "$(<"$root/killed.status")" 503 '... the CA is killed: 503'
is "$(query 'SELECT count(*) FROM request')" 1 '... the request is kept'
deliver --now
is "$code" 75 '... deliver cannot finish it yet'
ca_mode
ok '... the CA is back' ca_start
deliver --now
is "$code" 0 '... deliver finishes it'
is_done 'the CA was killed'
is "$(keys signing) $(keys encryption)" '1 1' '... with the same key'
is "$(ca_certificates_issued)" $((issued + 2)) '... each once'

# --- refused

somebody
ca_mode pending 1 deny
post
is "$status" 503 'pending'
deliver --now
is "$code" 1 '... then denied: exit 1'
is "$(event_state)" failed '... the event has failed'
is "$(audited dropped)" 1 '... the audit trail has it'
ca_mode
deliver --now
is "$code" 0 '... when the CA has changed its mind'
is_done 'denied'
is "$(keys signing) $(keys encryption)" '2 1' '... a new key is made for what was denied'

somebody
ca_mode refuse
post
is "$status" 502 'refused at once: 502'
is "$(query 'SELECT count(*) FROM request')" 0 '... no request is left'
is "$(audited dropped)" 0 '... nor an entry about it'
ca_mode
deliver --now
is_done 'refused'

# --- not let in: what waits there is not lost by it

somebody
ca_mode pending 100
post
is "$status" 503 'pending'
cp "$ca/ra.password" "$root/right.password"
echo 'of yesterday' >"$ca/ra.password"
deliver --now
is "$code" 75 '... the password is changed there: exit 75'
is "$(event_state)" pending '... the event stays pending'
is "$(query 'SELECT count(*) FROM request')" 2 '... the requests are kept'
deliver
is "$code $(<"$root/deliver.log")" '0 ' '... deliver lets it be for a while'
is "$(rejected)" 1 '... the password is tried once, for both certificates'
cp "$root/right.password" "$ca/ra.password"
ca_mode
due
deliver
is "$code" 0 '... and here, too: deliver'
is_done 'let in again'
is "$(keys signing) $(keys encryption)" '1 1' '... with the same keys'

# A wrong password that everybody tries locks the account.
somebody
echo 'of yesterday' >"$ca/ra.password"
handler_stop
ok 'the handler reads another password' handler_start
post
is "$status" 503 'a wrong password: 503'
like "$body" 'An administrator must look at the log' '... which says who has to do something'
is "$(event_state)" pending '... the event is pending'
events beef000 6 6
post_many 4 "$root"/beef000/???
is "$statuses" 6x503 '... six others enroll'
is "$(rejected)" 1 '... and nobody tries the password again'
post
like "$(header retry-after)" '^[1-9][0-9]+$' '... an answer says when to come again'
deliver
is "$code $(<"$root/deliver.log")" '0 ' '... deliver lets all of them be for a while'
is "$(figure cas_barred)" 1 '... status counts the CA'
like "$(certprov status)" 'needs attention: the CA of \[ca\] has processed no request since .*status 401' \
	'... and says why'
deliver --now
is "$code $(rejected)" '75 2' '... --now tries it once more, for all of them'
cp "$root/right.password" "$ca/ra.password"
deliver
is "$code $(rejected)" '0 2' '... once it is right here, deliver does not wait'
is "$(query 'SELECT count(*) FROM request')" 0 '... and finishes all of them'
is "$(figure cas_barred)" 0 '... no CA is barred'
handler_stop
ok '... the handler reads it, too' handler_start

# --- something else is to be asked for

somebody
ca_mode pending forever
post
is "$status" 503 'pending for ever'
ca_mode
configure certificates.key=ec-p384
deliver --now
is "$code" 0 '... another type of key is to be made'
is_done 'other terms'
is "$(keys signing) $(keys encryption)" '2 2' '... by another request'
is "$(audited dropped)" 2 '... which the audit trail has'
configure certificates.key=ec-p256

ok 'the store is sound' store_is_sound "$db"

# --- a renewal

serials()
{
	query "SELECT group_concat(serial) FROM credential WHERE user_uuid = '$user'
		AND state = 'active'"
}

# renew: sets $code
renew()
{
	code=0
	certprov renew --user "$user" --within 3650d >"$root/renew.log" 2>&1 || code=$?
}

somebody
post
is "$status" 202 'an enrollment'
before=$(serials)
ca_log_from_here
ca_mode pending 1
renew
is "$code" 75 'a renewal that is pending: exit 75'
is "$(asked signing) $(asked encryption)" '1 1' '... for all certificates'
is "$(serials)" "$before" '... which stay for now'
due
renew
is "$code" 0 '... the next run finishes it'
isnt "$(serials)" "$before" '... with new certificates'
is "$(keys signing) $(keys encryption)" '1 1' '... for the keys that it began with'
is "$(eg_upload_count)" $((uploads + 2)) '... in one upload'
is "$(query 'SELECT count(*) FROM request')" 0 '... no request is left'
is "$(audited renewed)" 2 '... as the audit trail has it'

done_testing

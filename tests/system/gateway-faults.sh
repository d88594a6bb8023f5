#!/bin/bash
# The Escrow Gateway is slow, busy, broken, gone or hostile: what becomes of the event, what the
# sender is told, and what the log tells the administrator to do.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

# begin ORDER: such a post in the background, with the gateway under that order; returns when
# the store has the event.
begin()
{
	device=$(new_uuid)
	event_json device="$device" >"$root/slow.json"
	eg_gate "$1"
	uploads=$(eg_upload_count)
	(
		# shellcheck disable=SC2030 # for this subshell alone
		answer=$root/slow
		post_event "$root/slow.json" --max-time 600
		printf '%s %s\n' "$(date +%s.%N)" "$status" >"$root/slow.result"
	) &
	post=$!
	eg_held
}

# end: sets $status, and $answered: when that was
end()
{
	wait "$post"
	read -r answered status <"$root/slow.result"
}

unanswered()
{
	kill -0 "$post" && [[ ! -s $root/slow.headers ]]
}

uploads_are()
{
	(($(eg_upload_count) == $1))
}

# env_of NAME=VALUE... COMMAND: a function with such variables
env_of()
{
	local setting

	while [[ $1 == *=* ]]; do
		setting=$1
		local "${setting?}"
		shift
	done
	"$@"
}

# ordered ORDER 503|502 REGEX: an enrollment while the gateway is under that order
ordered()
{
	eg_script "$1"
	post_new
	failed "$2" "$3" "the gateway: $1"
}

# --- never 202 before the gateway has it

ok 'everything starts' world certificates.key=ec-p256

begin slow
sleep 1
ok 'a slow gateway: no answer while it has not accepted' unanswered
ok '... nor has it' uploads_are "$uploads"
eg_open
end
is "$status $(events_are delivered "$device" 1)" '202 true' '... 202 when it has'
# shellcheck disable=SC2016 # jq's own variables
ok '... its log has it before the answer' jq -ne --argjson answered "$answered" \
	--argjson accepted "$(eg_log 'select(.upload != "") | .time' | tail -n 1)" '$accepted < $answered'

begin late
ok 'a late answer: the gateway has it' wait_for 60 uploads_are $((uploads + 1))
sleep 1
ok '... and we wait for what it says' unanswered
eg_open
end
is "$status" 202 '... 202 when it has said so'

# --- who asked has gone: the work is done

begin slow
pkill -f "^curl .*$root/slow\.body"
end
eg_open
is "$status" '' 'a sender that hangs up'
ok '... its event is delivered' wait_for 60 events_are delivered "$device" 1
ok '... to the gateway, once' uploads_are $((uploads + 1))

for signal in TERM KILL; do
	log_from_here
	begin slow
	mapfile -t workers_of_nginx < <(pgrep -P "${pids[front]}")
	kill "-$signal" "${pids[front]}" "${workers_of_nginx[@]}"
	end
	eg_open
	is "$status" 000 "nginx ends by SIG$signal: no answer"
	stop front || true
	ok '... the event is delivered' wait_for 60 events_are delivered "$device" 1
	ok '... to the gateway, once' uploads_are $((uploads + 1))
	ok '... the log says that nobody took the answer' wait_for 60 in_log 'the answer 202 was not taken'
	ok 'nginx starts again' front_start
	post_event "$root/slow.json"
	answered 202 'the same event again'
done

# --- it is down

eg_stop
post_new
first=$(certprov list certificates --device "$device" --json | jq -r '.[0].serial')
cp "$root/event.json" "$root/first.json"
failed 503 'https://localhost:[0-9]+: no connection: Connection refused' 'no gateway'
is "$(header Retry-After)" 60 '... Retry-After'
is "$(upload_states)" pending '... the upload is pending'
like "$(certprov list events --state pending)" "$device" '... certprov list events --state pending'
like "$(certprov status)" '1  events pending.*pending: device .*Connection refused' '... status'
check_fails 'Escrow Gateway' 'no connection: Connection refused'
request GET /healthz
answered 200 '... /healthz'
post_event "$root/first.json"
answered 503 '... the same event again'
ok '... both are kept' events_are pending "$device" 2
eg_start
post_event "$root/first.json"
answered 202 'the gateway is back: the same event'
is "$(jq -r '.certificates[0].serial' <<<"$body")" "$first" '... the certificate that was made then'
ok '... all three are delivered' events_are delivered "$device" 3
is "$(upload_states)" delivered '... the upload too'
is "$(certprov list events --state pending)" '' '... nothing is pending'
ok '... certprov check' certprov check

# --- it is busy, or not well: 503, pending

workers=1 # with one connection
ok 'timeout = 4s' handler_with escrow.timeout=4s
ordered '429 7' 503 'status 429, try later'
is "$(header Retry-After)" 7 '... its Retry-After is ours'
ordered '429 700' 503 'status 429'
is "$(certprov list events --device "$device" --json | jq -r \
	'.[0] | (.next_at | fromdate) - (.updated_at | fromdate)')" 700 '... and the time of the next try'
ordered '503 +30' 503 'status 503'
like "$(header Retry-After)" '^(2[5-9]|30)$' '... a date as Retry-After'
ordered '503 99999' 503 'status 503'
is "$(header Retry-After)" 3600 '... one that is too far'
for order in 408 429 '429 soon' 500 502 504; do
	ordered "$order" 503 "status ${order% *}, try later"
	is "$(header Retry-After)" 60 '... Retry-After'
done
started=$(date +%s%N)
ordered 'hang 60' 503 'not done in time: the request was not answered'
took=$((($(date +%s%N) - started) / 1000000))
ok "... within the timeout ($took ms)" test "$took" -ge 3900 -a "$took" -le 50000
ordered drop 503 'the connection broke before an answer'
eg_script ok drop
post_new
post_new
answered 202 'a kept connection that is dropped is replaced, and the upload repeated'
ordered cut 503 'the answer \(status 200\) is incomplete'
ordered 'huge 3' 503 'has more than the 262144 bytes that are accepted'
eg_script garbage
post_new
answered 202 'a whole 200 whose body is no JSON: accepted, as no body is agreed upon'
is "$(upload_states)" delivered '... delivered'

# --- it refuses for good: 502, failed

for order in 400 405 409 413 422; do
	ordered "$order" 502 "refuses our request \(status $order\)"
done
ok '... what to do about 405' in_log 'status 405\); check \[escrow\] url'
ok '... and about 413' in_log 'status 413\); lower \[certificates\] archive-max'
ordered 404 502 'refuses our request \(status 404\); check \[escrow\] url'
ordered 308 502 'redirects \(status 308\); \[escrow\] url must name the gateway itself'
for order in 401 403; do
	ordered "$order" 502 \
		"does not accept our client certificate \(status $order\); register our client certificate at the gateway: its thumbprint is SHA-256 $(thumbprint identity), SHA-1 $(thumbprint identity sha1)"
done
is "$(upload_states)" failed '... the upload has failed'
like "$(certprov status)" "failed: device $device: Escrow Gateway .*register our client" '... status'
ok 'once it is fixed, certprov enroll takes it up' certprov enroll "$root/event.json"
ok '... nothing of it is failed' events_are failed "$device" 0
is "$(upload_states)" delivered '... nor the upload'

# --- as ASP.NET Core on Kestrel says it

restart_eg()
{
	eg_stop
	eg_start "$@"
}

ok 'a gateway on Kestrel' env_of eg_kestrel=yes restart_eg
post_new
answered 202 '... takes what is right'
ordered 400 502 'refuses our request \(status 400\); it says: .*One or more validation errors occurred'
ordered 403 502 'does not accept our client certificate \(status 403\); register .*; it says: nothing'
ordered 404 502 'refuses our request \(status 404\); check \[escrow\] url; it says: nothing'
ordered 408 503 'status 408, try later; it says: nothing'
ordered 413 502 'refuses our request \(status 413\); lower \[certificates\] archive-max.*; it says: nothing'
ordered 415 502 'refuses our request \(status 415\); it says: nothing'
eg_curl()
{
	curl -s --cacert "$pki/eg-ca.crt" --cert "$pki/identity.crt" --key "$pki/identity.key" \
		-o "$root/curl.out" -w '%{http_code} %{size_download}' -H 'Content-Type: application/json' \
		-H 'Accept: application/json' -H Expect: --data-binary @- "$eg_url/v2/certificates"
}
is "$(head -c 30000001 /dev/zero | eg_curl)" '413 0' '... more than 30,000,000 bytes'
is "$(head -c 30000000 /dev/zero | eg_curl | cut -d ' ' -f 1)" 400 '... which are read'

pki_mail unfit eg-ca digitalSignature
eg_list unfit
pki_pfx unfit 'identity password'
install -m 600 "$pki/unfit.pfx" "$root/certprov/certificate.pfx"
ok 'a client certificate without clientAuth' handler_with
post_new
failed 503 'the connection broke before an answer .*it is not meant for TLS clients: have it issued' \
	'... ends the connection'
install -m 600 "$pki/identity.pfx" "$root/certprov/certificate.pfx"

ok 'PKCS#12 files without a password' env_of eg_kestrel=yes eg_plain=yes restart_eg
ok '... with 300000 iterations' handler_with escrow.pkcs12-password-file= escrow.pkcs12-iterations=300000
post_new
answered 202 '... are taken'
ok '... with 300001' handler_with escrow.pkcs12-iterations=300001
post_new
failed 502 'refuses our request \(status 400\)' '... are refused'
ok '(as before)' handler_with escrow.pkcs12-password-file=p12.password escrow.pkcs12-iterations=
ok '... the gateway, too' restart_eg

# --- two gateways

eg_of eg2 eg_start
ok 'two gateways' handler_with escrow.url="$eg_url, ${eg_urls[eg2]}"
both()
{
	echo $(($(eg_upload_count) - uploads)) $(($(eg_of eg2 eg_upload_count) - uploads2))
}
post_two()
{
	uploads=$(eg_upload_count)
	uploads2=$(eg_of eg2 eg_upload_count)
	post_new
}
post_two
answered 202 'both take it'
is "$(both)" '1 1' '... both have it'
ok '... the same' cmp "$(eg_upload)" "$(eg_of eg2 eg_upload)"
is "$(certprov list uploads --device "$device" --json | jq -r '[.[].gateway] | sort | join(" ")')" \
	"$(printf '%s\n' "$eg_url" "${eg_urls[eg2]}" | sort | paste -sd ' ')" '... an upload each in the store'
eg_of eg2 eg_stop
post_two
failed 503 "${eg_urls[eg2]}: no connection" 'the second is down'
is "$(both) $(upload_states)" '1 0 delivered pending' '... the first has it'
check_fails 'Escrow Gateway' "${eg_urls[eg2]}: no connection"
eg_of eg2 eg_start
eg_stop
post_two
failed 503 "$eg_url: no connection" 'the first is down'
is "$(both) $(upload_states)" '0 1 delivered pending' '... the second has it'
eg_start
post_event "$root/event.json"
answered 202 'both are back'
is "$(both) $(upload_states)" '1 2 delivered delivered' '... both have it'
eg_script 'hang 30'
post_two
failed 503 "$eg_url: not done in time" 'the first hangs'
is "$(both) $(upload_states)" '0 1 delivered pending' '... the second has it, in time'
eg_script 422
post_two
failed 502 "$eg_url refuses our request \(status 422\)" 'the first refuses'
is "$(both) $(upload_states)" '0 1 delivered failed' '... the second has it'
eg_script 422
eg_of eg2 eg_script '429 9'
post_two
failed 503 "${eg_urls[eg2]}: status 429" 'the first refuses, the second is busy'
is "$(header Retry-After) $(both) $(upload_states)" '9 0 0 failed pending' '... which may yet change'

certprov deliver --now # all of the above
eg_script 'hang 30'
post_two
eg_stop
ok 'the first is not named any more' handler_with escrow.url="${eg_urls[eg2]}"
post_event "$root/event.json"
answered 202 '... the second is enough'
before=$(eg_of eg2 eg_upload_count)
certprov deliver --now
is "$(eg_of eg2 eg_upload_count)" "$before" '... deliver does not upload for it, again and again'
eg_start
ok 'the first is back' handler_with escrow.url="$eg_url, ${eg_urls[eg2]}"
certprov deliver --now
is "$(both) $(upload_states)" '1 3 delivered delivered' '... and gets what it has missed'

# --- what nobody may read

head -c 3000 "$(eg_upload)" | tail -c 60 >"$root/leak.log"
ok '(a piece of a PKCS#12 file in a log would be found)' told_secrets
rm "$root/leak.log"
not_ok 'no secret in an answer or a log' told_secrets
done_testing

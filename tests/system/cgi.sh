#!/bin/bash
# The handler without a socket of its own, end to end: a CGI program, and behind spawn-fcgi.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

handler=$(program certprov.fcgi) || skip_all 'certprov.fcgi is not built'
socket=$root/certprov.sock
authorization="Basic $(printf '%s' "$credentials" | base64)"

# request_by COMMAND... -- METHOD PATH [FILE]: as a web server would start it; sets $code,
# $status, and $body, which is in $answer.body, too
request_by()
{
	local -a command=()
	local input

	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	input=${3:-/dev/null}
	code=0
	env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 REQUEST_METHOD="$1" \
		PATH_INFO="$2" CONTENT_TYPE=application/json REMOTE_ADDR=192.0.2.1 \
		CONTENT_LENGTH="$(wc -c <"$input")" HTTP_AUTHORIZATION="$authorization" \
		REQUEST_ID=0123456789abcdef "${command[@]}" \
		<"$input" >"$answer" 2>>"$root/handler.log" || code=$?
	sed -n '1,/^\r*$/p' "$answer" | tr -d '\r' >"$answer.headers"
	sed '1,/^\r*$/d' "$answer" >"$answer.body"
	status=$(sed -n 's/^Status: \([0-9]*\).*/\1/p' "$answer.headers")
	body=$(tr -d '\0' <"$answer.body")
}

cgi()
{
	request_by "$handler" -c "$conf" -- "$@"
}

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256
cgi GET /events
is "$code $status" '78 503' 'without a store'
ok 'the log says what to do' grep -q 'run: certprov init' "$root/handler.log"
unlike "$body" "$root|init" 'the answer tells nothing of our files'
ok 'init' certprov_init

# --- CGI

webhook=$authorization
(umask 077 && htpasswd -niBC 5 boss <<<hidden >"$root/certprov/admin.users")
configure admin.users-file=admin.users
authorization="Basic $(printf boss:hidden | base64)"
cgi GET /metrics
is "$code $status" '0 200' 'metrics by CGI'
like "$body" $'\ncertprov_users 0\n' 'are what the store knows'
unlike "$(grep -v certprov_address_conflicts_total "$answer.body")" '_total|certprov_workers' \
	'and no counters but of what the store knows'
configure admin.users-file=
cgi GET /metrics
is "$status" 404 'without [admin] there are none'
authorization=$webhook

cgi POST /events "$sample_event"
is "$code $status" '0 202' 'an event by CGI'
is "$(header Content-Type)" application/json 'the answer is JSON'
is "$(header X-Request-Id)" 0123456789abcdef "with the web server's request id"
is "$(jq -r '.status + " " + (.certificates | map(.usage) | join(" "))' "$answer.body")" \
	'delivered signing encryption' 'of what was delivered'
is "$(eg_upload_count)" 1 'after the upload'
first=$body

# As mod_cgid does: what it cannot send on, it takes for a fault of the program's.
head -c 300000 /dev/zero | env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	PATH_INFO=/events CONTENT_TYPE=application/json CONTENT_LENGTH=300000 \
	HTTP_AUTHORIZATION="$authorization" "$handler" -c "$conf" >"$answer" 2>>"$root/handler.log" &&
	piped=("${PIPESTATUS[@]}") || piped=("${PIPESTATUS[@]}")
like "$(head -n 1 "$answer")" '^Status: 413' 'too large by CGI'
is "${piped[0]}" 0 'the sender can send all of it'
is "$(jq -r .certificates[0].serial "$answer.body")" \
	"$(eg_pkcs12 1 signing | eg_openssl -nokeys -clcerts | openssl x509 -noout -serial |
		sed 's/.*=//' | tr A-F a-f)" 'of that certificate'
cgi POST '' "$sample_event"
is "$status $body" "202 $first" 'the same again by the bare path: the same'
cgi GET /events
is "$code $status $body" '0 200 OK' 'Test Connection'
cgi GET /healthz
is "$code $status" '0 200' 'the health check'
cgi GET /ca.cer
is "$code $status" '0 200' "the authority's certificate"
is "$(openssl x509 -in "$answer.body" -inform DER -noout -fingerprint)" \
	"$(openssl x509 -in "${conf%/*}/ca.crt" -noout -fingerprint)" 'is the one of the file'
cgi GET /nothing
is "$code $status" '0 404' 'no such path'
authorization='Basic d3Jvbmc6d3Jvbmc=' cgi POST /events "$sample_event"
is "$code $status" '0 401' 'wrong credentials'
is "$(eg_upload_count)" 2 'upload nothing'
event_json device="$(new_uuid)" >"$root/event.json"
eg_stop
cgi POST /events "$root/event.json"
is "$code $status" '0 503' 'without a gateway'
like "$(header Retry-After)" '^[0-9]+$' 'with the time to try again'
is "$(certprov list events --state pending --json | jq length)" 1 'the event is kept'
ok '(the gateway starts)' eg_start
cgi POST /events "$root/event.json"
is "$code $status" '0 202' 'when it is back'
is "$(certprov list events --state pending --json | jq length)" 0 'the event is done'

pids_of_eight=()
for ((i = 0; i < 8; i++)); do
	event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event-$i"
	(answer=$root/answer-$i && cgi POST /events "$root/event-$i" && echo "$status" >"$answer.status") &
	pids_of_eight+=($!)
done
wait "${pids_of_eight[@]}"
is "$(cat "$root"/answer-?.status | sort | uniq -c | awk '{ print $1, $2 }')" '8 202' 'eight at once'
is "$(certprov status --json | jq -c '[.devices, .users, .signing_active, .encryption_active]')" \
	'[10,9,10,9]' 'each with certificates of its own'

# --- a socket that somebody else made

if ! command -v spawn-fcgi >/dev/null || ! command -v cgi-fcgi >/dev/null; then
	skip 'an inherited socket' 'spawn-fcgi or cgi-fcgi (Debian: spawn-fcgi, libfcgi-bin) is not there'
else
	start spawned spawn-fcgi -n -s "$socket" -M 0600 -- "$handler" -c "$conf" -w 2
	ok 'behind spawn-fcgi' wait_ready spawned -S "$socket"
	request_by cgi-fcgi -bind -connect "$socket" -- POST /events "$sample_event"
	is "$status $body" "202 $first" 'an event is answered as by CGI'
	ok 'nginx starts' front_start
	post_event "$sample_event"
	is "$status $body" "202 $first" 'and through nginx'
	code=0
	stop spawned || code=$?
	is "$code" 0 'SIGTERM: exit 0'
	ok "the socket is not ours to remove" test -S "$socket"
fi

done_testing

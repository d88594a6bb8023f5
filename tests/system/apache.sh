#!/bin/bash
# The files in contrib/apache/, as an administrator would use them: the real Apache before
# the real handler, by mod_proxy_fcgi, mod_fcgid and plain CGI.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-apache.sh
. "$top_srcdir/tests/system/lib-apache.sh"

# --- what holds for each of the three ways

main_job()
{
	local uploads id

	request GET /healthz
	is "$status" 200 "$way: a path behind the prefix reaches the handler"
	request GET /events
	is "$status $body" '200 OK' "$way: credentials are passed on: Test Connection"
	uploads=$(eg_upload_count)
	event_json "device=$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
	is "$status $(jq -r .status "$answer.body")" '202 delivered' "$way: an event is delivered"
	is "$(eg_upload_count)" $((uploads + 1)) "$way: the gateway has it"
	is "$(jq -r .device_uuid "$(eg_upload)")" "$(jq -r .DeviceUUID "$root/event.json")" \
		"$way: for that device"
	id=request=$(header X-Request-Id)
	is "$(grep -ci '^x-request-id:' "$answer.headers")" 1 "$way: one request id in the answer"
	ok "$way: it is in Apache's log" wait_for 60 grep -q "$id" "$front/certprov.access.log"
	ok "$way: and in the handler's" grep -q "$id POST" "$root/handler.log" "$root/apache.log"
	request GET /events --header 'X-Request-Id: chosen-by-the-sender'
	unlike "$(header X-Request-Id)" chosen "$way: the sender does not choose it"
	credentials=uem:wrong request POST /events --data-binary "@$sample_event"
	is "$status" 401 "$way: a wrong password"
	like "$(header WWW-Authenticate)" '^Basic ' "$way: it is asked for again"
	request HEAD /events
	is "$status" 200 "$way: HEAD"
}

paths()
{
	local path

	request GET ''
	is "$status" 200 "$way: the bare prefix is /events"
	for path in X/events /nothing /events/ /EVENTS /%2565vents /events%2f '/events%20' /a%0ab \
		/events/../../etc/passwd /..%2fevents; do
		request GET "$path" --path-as-is
		is "$status" 404 "$way: $path is nothing"
	done
	for path in /%65vents //events /./events /x/../events '/events?x=%00'; do
		request GET "$path" --path-as-is
		is "$status" 200 "$way: $path is /events"
	done
	for path in /metrics /status /metrics/ /metrics/x /%6detrics //status /healthz/../metrics; do
		request GET "$path" --path-as-is
		is "$status" 403 "$way: $path is closed"
		isnt "$(header X-Request-Id)" '' "$way: that answer has a request id too"
	done
	request GET /events%00
	like "$status" '^40[04]$' "$way: a NUL byte"
}

methods()
{
	local method

	for method in PUT DELETE PATCH OPTIONS PROPFIND; do
		request "$method" /events
		is "$status $(header Allow)" '405 GET, HEAD, POST' "$way: $method is not allowed"
	done
	request TRACE /events
	is "$status" 405 "$way: nor is TRACE"
}

sizes()
{
	head -c 65537 /dev/zero | tr '\0' ' ' >"$root/large"
	post_event "$root/large"
	is "$status" 413 "$way: over 64 KiB: refused"
	like "$(header Content-Type)" '^application/problem\+json' "$way: by the handler, which says why"
	head -c 131073 /dev/zero | tr '\0' ' ' >"$root/larger"
	post_event "$root/larger"
	is "$status" 413 "$way: over 128 KiB: refused"
	head -c 1048577 /dev/zero >"$root/huge"
	post_event "$root/huge"
	like "$status" '^(413|500)$' "$way: so is over a mebibyte"
	jq -c . "$sample_event" | awk '{ printf "%s%*s", $0, 65536 - length($0), "" }' >"$root/full"
	is "$(wc -c <"$root/full")" 65536 '(64 KiB)'
	post_event "$root/full"
	is "$status" 202 "$way: 64 KiB are taken"
	post_event "$sample_event" --header 'Expect: 100-continue' --http1.1
	is "$status" 202 "$way: a sender that asks first"
	like "$(head -n 1 "$answer.headers")" ' 100 ' "$way: is told to go on"
}

chunked()
{
	local -a how=(--header 'Transfer-Encoding: chunked' --http1.1)

	post_event "$sample_event" "${how[@]}"
	is "$status" 202 "$way: an event without a length"
	post_event "$root/full" "${how[@]}"
	is "$status" 202 "$way: 64 KiB without a length"
	post_event "$root/large" "${how[@]}"
	is "$status" 413 "$way: more than that"
	like "$(header Content-Type)" '^application/problem\+json' "$way: by the handler, which says why"
	post_event "$root/larger" "${how[@]}"
	is "$status" 413 "$way: over 128 KiB without a length"
}

# More than the gateway is given (3 s), less than Apache is.
gateway_hangs()
{
	eg_script 'hang 30'
	event_json "device=$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
	is "$status" 503 "$way: the gateway hangs"
	like "$(header Content-Type)" '^application/problem\+json' "$way: it is us who say so"
	like "$(header Retry-After)" '^[0-9]+$' "$way: and when to try again"
	ok "$way: deliver finishes it" certprov deliver --now
}

uploaded()
{
	(($(eg_upload_count) > uploads))
}

handlers_are_gone()
{
	! pgrep -f "^$root/bin/certprov.fcgi"
}

sender_gives_up()
{
	local uploads

	uploads=$(eg_upload_count)
	event_json "device=$(new_uuid)" >"$root/event.json"
	given_up "$root/event.json"
	is "$status" '' "$way: the sender has gone"
	ok "$way: the upload comes all the same" wait_for 60 uploaded
}

without_tls()
{
	local front_url=http://localhost:$front_http_port/certprov path

	for path in /ca.crl /ca.cer; do
		request GET "$path"
		is "$status" 200 "$way: $path is served without TLS"
	done
	request GET X/ca.crl
	like "$status" '^40[34]$' "$way: a longer name is not the prefix there either"
	for path in /events /healthz '' / /ca.crl/ /x/../events //events /events/ca.crl; do
		request GET "$path" --path-as-is
		is "$status" 404 "$way: ${path:-the bare prefix} is not"
	done
	post_event "$sample_event"
	is "$status" 404 "$way: and an event least of all"
}

many_at_once()
{
	local i
	local -a posts=()

	for ((i = 0; i < 8; i++)); do
		event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event-$i"
		(answer=$root/answer-$i && post_event "$root/event-$i" && echo "$status" >"$answer.status") &
		posts+=($!)
	done
	wait "${posts[@]}"
	is "$(cat "$root"/answer-?.status | sort | uniq -c | awk '{ print $1, $2 }')" '8 202' \
		"$way: eight at once"
}

all_of_it()
{
	main_job
	paths
	methods
	sizes
	chunked
	gateway_hangs
	sender_gives_up
	without_tls
	many_at_once
}

# Then Apache asks for the password itself, and the handler takes its word.
apache_authenticates="s|^\(\t*\)CGIPassAuth On|\1# CGIPassAuth On|; s|# AuthType|AuthType|
	s|# AuthName|AuthName|; s|# AuthUserFile .*|AuthUserFile $front/uem.users|
	s|# Require valid-user|Require valid-user|; s|^\(\t*\)Require all granted|\1# Require all granted|"

name_from_apache()
{
	request GET /events
	is "$status" 200 "$way: a name that Apache has verified"
	credentials=uem:wrong request GET /events
	is "$status" 401 "$way: a wrong password"
	credentials='' request GET /events
	is "$status" 401 "$way: none"
	request GET /metrics
	is "$status" 403 "$way: what is closed stays closed"
}

name_from_sender()
{
	request GET /events --header 'Remote-User: uem' --header 'Remote_User: uem'
	is "$status" 401 "$way: a name that nobody has verified is none"
}

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256 escrow.timeout=3s
ok 'init' certprov_init

way=mod_proxy_fcgi
ok 'the handler starts' handler_start
apache_socket_open "$root/certprov.sock"
ok "$way: Apache starts" apache_start proxy_fcgi
all_of_it
handler_stop || true
request GET /healthz
is "$status" 503 "$way: 503 without a handler"
isnt "$(header X-Request-Id)" '' "$way: that answer has a request id too"
ok 'the handler is back' handler_start
apache_socket_open "$root/certprov.sock"
request GET /healthz
is "$status" 200 "$way: Apache sees it at once"
front_stop || true
configure events.authenticate=web-server events.users-file=
handler_stop || true
ok 'authenticate = web-server' handler_start
apache_socket_open "$root/certprov.sock"
ok "$way: Apache without credentials" apache_start proxy_fcgi
name_from_sender
front_stop || true
cp "$root/certprov/uem.users" "$front/uem.users"
apache_own "$front/uem.users"
front_edit=$apache_authenticates ok "$way: Apache asks for credentials" apache_start proxy_fcgi
name_from_apache
front_stop || true
handler_stop || true

# Apache starts the handler as its own user.
apache_own "${conf%/*}"
for module in fcgid cgid cgi; do
	way=mod_$module
	configure events.authenticate= events.users-file=uem.users
	ok "$way: Apache starts" apache_start "$module"
	all_of_it
	front_stop || true
	configure events.authenticate=web-server events.users-file=
	ok "$way: Apache without credentials" apache_start "$module"
	name_from_sender
	front_stop || true
	front_edit=$apache_authenticates ok "$way: Apache asks for credentials" apache_start "$module"
	name_from_apache
	front_stop || true
	ok "$way: nothing runs on when Apache has ended" wait_for 60 handlers_are_gone
done

done_testing

#!/bin/bash
# A client guesses passwords as fast as it can, against a slow hash: events with the right password
# are answered all the same.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

flood_max=4000 # an end, should the test be killed

# flood N: from another address, one after the other, until $root/flood.end is there
flood()
{
	local i

	for ((i = 0; i < flood_max; i++)); do
		[[ -d $root && ! -e $root/flood.end ]] || return 0
		curl --silent --max-time 60 --interface 127.0.0.2 --cacert "$pki/front-ca.crt" \
			--user "uem:guess-$1-$i" --header 'Content-Type: application/json' \
			--data-binary "@$sample_event" --output /dev/null --dump-header - \
			"$front_url/events" | tr -d '\r' >"$root/flood-$1-$i" || true
	done
}

flood_begin()
{
	local n

	rm -f "$root"/flood-* "$root/flood.end"
	flooders=()
	for n in 1 2 3 4; do
		flood "$n" &
		flooders+=($!)
	done
	ok 'wrong passwords come in' wait_for 60 in_flood ' 401'
	ok '... more than are looked at' wait_for 60 in_flood ' 503'
}

flood_end()
{
	: >"$root/flood.end"
	wait "${flooders[@]}"
	flooders=()
	is "$(cat "$root"/flood-* | sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' | sort -u | xargs)" '401 503' \
		'... each is answered 401, or 503'
	is "$(grep -l '^HTTP/[0-9.]* 503' "$root"/flood-* | xargs grep -L -i '^Retry-After: [0-9]')" '' \
		'... that with Retry-After'
}

in_flood()
{
	grep -qs "^HTTP/[0-9.]*$1" "$root"/flood-*
}

# legitimate NAME: ten events with the right password
legitimate()
{
	local i statuses=

	for ((i = 0; i < 10; i++)); do
		event_json "device=$(new_uuid)" >"$root/event.json"
		post_event "$root/event.json"
		statuses+=" $status"
	done
	is "${statuses# }" '202 202 202 202 202 202 202 202 202 202' "$1"
}

printf 'uem:%s\n' "$(mkpasswd -m yescrypt -R 8 webhook-password)" >"$root/certprov/uem.users"
workers=3
ok 'everything starts' world certificates.key=ec-p256

flood_begin
legitimate 'beside them: ten events, and none is refused'
handler_reload
ok 'new workers' wait_for 60 grep -q 'read anew' "$root/handler.log"
legitimate '... need not be shown the password anew'
flood_end
ok 'the log says why nobody has looked' grep -q \
	'503 in .*the password was not checked: ' "$root/handler.log"
handler_stop || true
ok 'a handler that has seen no right password yet' handler_start
flood_begin
legitimate '... takes ten events, too'
flood_end
is "$(certprov list events --json | jq length)" 30 'thirty events are recorded, and no guess is'

done_testing

#!/bin/bash
# A CA that issues, but whose answer is not understood. Each try may issue one more certificate, so
# after three such answers a person must decide; for AD CS, where each try is another request, after
# one.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"

# use KIND
use()
{
	local -a words

	ca_forget
	mapfile -t words < <(ca_settings "$1")
	configure certificates.key=ec-p256 certificates.usages=encryption ca.timeout=60s "${words[@]}"
}

# A new user with a device, and the files that post sends.
somebody()
{
	device=$(new_uuid)
	event_json "device=$device" "user=$(new_uuid)" >"$root/event.json"
	ca_log_from_here
}

post()
{
	post_event "$root/event.json"
}

asked()
{
	ca_log 'select(.method == "POST" and .usage == "encryption") | .usage' | wc -l
}

cause()
{
	certprov list events --json --device "$device" | jq -r '.[0].cause'
}

ok 'the authority starts' ca_start
use est
ok 'everything starts' world

for kind in est ejbca vault step cfssl adcs; do
	most=3
	[[ $kind != adcs ]] || most=1
	use "$kind"
	handler_reload
	for mode in garbage empty truncated oversized; do
		ca_mode
		ok "$kind, $mode: nothing is left of before" certprov deliver --now
		somebody
		ca_mode "$mode"
		for ((n = 1; n < most; n++)); do
			post
			is "$status" 503 "$kind, $mode: try $n is followed by another"
		done
		post
		is "$status" 502 "$kind, $mode: try $most is the last one"
		like "$(cause)" 'it may have issued .*certprov deliver --now' '... and the event says why'
		like "$body" 'was not understood; the event is kept as failed and needs attention' \
			'... the answer, too'
	done
	ca_mode
	post
	is "$status" 502 "$kind: another event of the user does not ask again"
	ok '... nor does certprov deliver' certprov deliver
	handler_stop
	handler_start
	post
	is "$status" 502 '... nor another process'
	is "$(asked)" "$most" '... so the CA was asked that often'
	ca_mode garbage
	touch -d '1 hour ago' "$conf"
	not_ok "$kind: another configuration: certprov deliver asks" certprov deliver
	before=$(asked)
	ok '... no more often than before' test $((before - most)) -ge 1 -a $((before - most)) -le "$most"
	ca_mode
	ok "$kind: certprov deliver --now asks" certprov deliver --now
	isnt "$(eg_log 'select(.status == 200) | .device' | grep -cFx "$device")" 0 '... and delivers'
	is "$(asked)" $((before + 1)) '... by one more request'
done

done_testing

#!/bin/bash
# A peer holds a process beyond every timeout, by a key that takes minutes to compute with or in
# another way. The process ends, its event is kept, and other events are served.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

workers=1
timeout=2
past=14 # seconds: past $timeout and what a process may be late

# peer_start NAME ARGS...: a TLS peer; sets $peer_url
peer_start()
{
	start "$1" "$top_builddir/tests/peers/tls-peer" "${@:2}"
	wait_ready "$1" -s "$root/$1.log" || return 1
	peer_url=https://localhost:$(<"$root/$1.log")
}

# freeze PARENT: its children stand still until they are past their deadline. They are not asked:
# no loop of theirs can look at a clock.
freeze()
{
	local -a held

	mapfile -t held < <(pgrep -P "$1")
	kill -STOP "${held[@]}" || return 1
	sleep "$past"
	kill -CONT "${held[@]}" 2>/dev/null
}

ok 'everything starts' world certificates.key=ec-p256 certificates.key-pool=0 escrow.timeout=${timeout}s

# --- a key

ok 'a gateway with a key of 65536 bits, and as long an exponent' peer_start huge \
	-c "$pki/eg-server.crt" -k "$pki/eg-server.key" -H 65536
ok '(configured)' handler_with escrow.url="$peer_url"
log_from_here
post_new
failed 503 "the server's TLS is refused: .*RSA modulus of 65536 bits, more than the 16384" '... is refused'
not_ok '... and no worker had to end' in_log 'past all deadlines'
check_fails 'Escrow Gateway' 'RSA modulus of 65536 bits'
code=0
certprov deliver --now >"$root/deliver.out" 2>&1 || code=$?
is "$code" 75 '... certprov deliver: try again later'
like "$(<"$root/deliver.out")" 'RSA modulus of 65536 bits' '... and says why'
stop huge || true

# --- a worker of the handler

ok 'a gateway that hangs' handler_with escrow.url="$eg_url"
eg_mode hang 60
log_from_here
device=$(new_uuid)
event_json device="$device" >"$root/event.json"
(
	# shellcheck disable=SC2030 # for this subshell alone
	answer=$root/held
	post_event "$root/event.json" --max-time 60
) &
post=$!
ok '... its event is recorded' wait_for 60 events_are pending "$device" 1
ok 'the worker is held past its deadline' freeze "${pids[handler]}"
ok '... and ends' wait_for 60 in_log 'worker [0-9]+ ended itself: a request went on past all deadlines'
wait "$post" || true
ok '... its event stays pending' events_are pending "$device" 1
eg_mode
post_new
answered 202 'the next event is served'

# --- a worker of deliver

eg_mode hang 60
"$(program certprov)" -c "$conf" deliver --all >"$root/deliver.out" 2>&1 &
deliver=$!
ok 'certprov deliver --all runs' wait_for 60 pgrep -P "$deliver"
ok "... and its workers are held" freeze "$deliver"
eg_mode
code=0
wait "$deliver" || code=$?
is "$code" 75 '... try again later'
like "$(<"$root/deliver.out")" 'a worker went on past all deadlines and ended itself; .* taken up again' \
	'... and says why'

not_ok 'no secret in an answer or a log' told_secrets
done_testing

#!/bin/bash
# The handler as processes: sockets, signals, workers that die, web servers that
# stall. Its provider is a fake one, see tests/peers/fake_provider.c, and its
# deadlines are short: no web server, no Escrow Gateway.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

binary=$top_builddir/tests/peers/handler
socket=$root/certprov.sock
log=$root/handler.log
authorization='Basic dWVtOnNlY3JldA==' # uem:secret
conf=$root/conf
journal=$root/journal # what the provider has handled

# write_config [IN-EVENTS [IN-CERTIFICATES]]
write_config()
{
	cat >"$conf" <<-END
		[events]
		users-file = users
		${1:-}
		[certificates]
		${2:-key-pool = 0}
		[ca]
		certificate = ca
		[escrow]
		url = https://eg.example.com
		identity = none.pfx
		timeout = 1s
		[store]
		url = sqlite:journal
		[log]
		level = debug
	END
}

in_log()
{
	grep -q -- "$1" "$log"
}

# handler WORKERS: in the background, on a socket of its own
handler()
{
	: >"$log"
	: >"$journal"
	start handler "$binary" -c "$conf" -s "$socket" -w "$1"
	wait_for 60 in_log serving
}

# Sets $code.
handler_ends()
{
	code=0
	stop handler || code=$?
	sanitizers_are_silent
}

# run COMMAND...: sets $code and $output.
run()
{
	code=0
	output=$(timeout 120 "$@" </dev/null 2>&1) || code=$?
}

children()
{
	pgrep -P "${pids[handler]}" | sort -n | tr '\n' ' '
}

children_are()
{
	[[ $(children | wc -w) == "$1" ]]
}

children_are_other_than()
{
	[[ $(children) != "$1" ]]
}

# through_fastcgi METHOD PATH BODY [NAME=VALUE...]: prints the answer
through_fastcgi()
{
	local method=$1 path=$2 content=$3

	shift 3
	printf '%s' "$content" | env -i PATH="$PATH" REQUEST_METHOD="$method" PATH_INFO="$path" \
		CONTENT_LENGTH="${#content}" HTTP_AUTHORIZATION="$authorization" "$@" \
		timeout 120 cgi-fcgi -bind -connect "$socket" 2>&1 || true
}

post()
{
	through_fastcgi POST /events "$1"
}

post_in_background()
{
	rm -f "$journal.begun"
	post "$1" >"$root/background" &
	background=$!
	wait_for 120 grep -qxF "$1" "$journal.begun"
}

# client MODE BODY: prints milliseconds and status
client()
{
	timeout 120 perl "$top_srcdir/tests/peers/stalling-client.pl" "$socket" "$@"
}

milliseconds()
{
	echo $(($(date +%s%N) / 1000000))
}

# within LEAST MOST NUMBER
within()
{
	[[ $3 -ge $1 && $3 -le $2 ]] || {
		echo "$3 is not within $1 and $2"
		return 1
	}
}

command -v cgi-fcgi >/dev/null || skip_all "cgi-fcgi (Debian: libfcgi-bin) is not there"
command -v pgrep >/dev/null || skip_all "pgrep (Debian: procps) is not there"

# shellcheck disable=SC2016 # the dollars of a hash
echo 'uem:$2y$04$cu86kV5HSNszt4mp0sY3aOZlFr00vKmF/UgOX8cquWR9u6PehPihS' >"$root/users"
chmod 600 "$root/users"
echo good >"$root/ca"
write_config

# --- command line and configuration

run "$binary" -c "$conf"
is "$code" 2 "nothing to serve is wrong usage"
like "$output" "-s" "... and says what to do"
run "$binary" -w 0 -s "$socket"
is "$code" 2 "no workers is wrong usage"
run "$binary" -s "$socket" extra
is "$code" 2 "an argument is wrong usage"
run "$binary" --version
is "$output" "$("$binary" -V)" "--version"
run "$binary" --help
like "$code $output" "^0 Usage:" "--help"

write_config "nonsense = 1"
run "$binary" -c "$conf" -s "$socket"
is "$code" 78 "a wrong configuration ends with 78"
like "$output" "/conf:3: " "... names file and line"
not_ok "... and no socket is made" test -e "$socket"
write_config
echo bad >"$root/ca"
run "$binary" -c "$conf" -s "$socket"
is "$code" 78 "a configuration that cannot be opened ends with 78"
like "$output" "it is not good" "... with the cause"
echo good >"$root/ca"

# --- a socket of its own

# A lock that anyone who can read the folder can take, and hold for ever.
folder_is_locked()
{
	! flock -n "$root" true
}
start locker flock --no-fork "$root" sleep 300
wait_for 60 folder_is_locked
ok "it starts, though somebody has locked the folder" handler 2
stop locker || true
not_ok "... and leaves no lock behind" compgen -G "$socket.*"
if grep -q __asan_init "$binary"; then
	skip "its memory is limited" "AddressSanitizer's shadow is over any limit"
else
	worker=$(children)
	is "$(prlimit --pid "${worker%% *}" --data --noheadings --raw --output SOFT,HARD)" \
		"1073741824 1073741824" "its memory is limited"
fi
is "$(stat -c %a "$socket")" 660 "the socket's mode is 0660"
output=$(post deliver)
like "$output" "Status: 202 Accepted" "an event is answered"
like "$output" '"status":"delivered"' "... with what was delivered"
like "$(through_fastcgi GET "" "" HTTP_AUTHORIZATION=)" "Status: 401" "no credentials, no answer"
like "$(through_fastcgi GET / "" REQUEST_ID=0123456789abcdef)" \
	"X-Request-Id: 0123456789abcdef" "the web server's request id is given back"
ok "... and logged" in_log "request=0123456789abcdef GET /events from unknown: 200"
run "$binary" -c "$conf" -s "$socket"
is "$code" 75 "a socket in use is not taken over; later, perhaps"
like "$output" "in use" "... and why"
like "$(through_fastcgi GET /healthz "")" "Status: 200" "... and goes on being served"
handler_ends
is "$code" 0 "SIGTERM ends it with 0"
not_ok "... and the socket is gone" test -e "$socket"

echo precious >"$socket"
run "$binary" -c "$conf" -s "$socket"
is "$code" 78 "a file in the socket's place is refused"
is "$(cat "$socket")" precious "... and kept"
rm "$socket"

# --- what is in flight

handler 2
post_in_background "sleep 800"
handler_ends
is "$code" 0 "SIGTERM in mid-request: exit 0"
wait "$background"
like "$(cat "$root/background")" "Status: 202" "... after the request was answered"

handler 1
post_in_background "sleep 60000"
begin=$(milliseconds)
handler_ends
is "$code" 0 "a worker that does not finish is no reason to stay"
ok "... for long" within 1000 45000 $(($(milliseconds) - begin))
ok "... it is killed" in_log "did not finish in time and is killed"
wait "$background"

# --- what waits for a worker

# The listening socket and its connections, those that wait among them.
sockets_are()
{
	[[ $(grep -c " $socket\$" /proc/net/unix) == "$1" ]]
}

# queue COUNT BODY: so many posts at the same time
queue()
{
	local i

	queued=()
	for ((i = 0; i < $1; i++)); do
		post "$2" >"$root/queued-$i" &
		queued+=($!)
	done
	wait_for 120 sockets_are $(($1 + 1))
}

# Sets $answered: how many of them were answered 202.
queue_ends()
{
	wait "${queued[@]}"
	answered=$(grep -l 'Status: 202' "$root"/queued-* | wc -l)
	rm "$root"/queued-*
	: >"$journal"
}

handler 1
wait_for 60 children_are 1
worker=$(children)
ok "more connections than workers" queue 10 "sleep 1500"
handler_reload
ok "SIGHUP: the old worker goes though connections wait" wait_for 120 gone "${worker% }"
ok "... before the end of them" test "$(wc -l <"$journal")" -lt 8
queue_ends
is "$answered" 10 "... and the new one serves them"
ok "the same again" queue 8 "sleep 300"
handler_ends
is "$code" 0 "SIGTERM while connections wait: exit 0"
queue_ends
is "$answered" 8 "... after all were answered"

handler 1
client gone "sleep 300"
ok "the work is done though the web server has gone" wait_for 60 grep -q "sleep 300" "$journal"
ok "... and the log says so" wait_for 60 in_log "the answer 202 was not taken"
is "$(wc -l <"$journal")" 1 "... once"

# --- web servers that stall, and there is but one worker

for mode in nothing header begin params body; do
	ok "one that stalls ($mode) is cut off" within 500 30000 "$(client $mode deliver | cut -d' ' -f1)"
	like "$(post deliver)" "Status: 202" "... and the next one is served"
done
is "$(client short deliver | cut -d' ' -f2)" 400 "a body that ends early is refused"
ok "... and logged" in_log "ends after 3 of 7 bytes"
ok "... as those that brought no request" in_log "brought no request within"
client unread deliver &
unread=$!
sleep 0.3
begin=$(milliseconds)
post deliver >/dev/null
ok "one that does not close its connection does not hold the worker" \
	within 0 20000 $(($(milliseconds) - begin))
wait "$unread"
read -r took status < <(client keep deliver)
is "$status" 202 "one that would keep its connection is answered"
ok "... and not kept" within 0 60000 "$took"
is "$(grep -c '^deliver$' "$journal")" 8 "no event was handled that did not come whole"
handler_ends

# --- workers that die

handler 1
like "$(post deliver)" "Status: 202" "a worker has served"
kill -KILL "$(children | tr -d ' ')"
ok "... is killed, and another starts at once" wait_for 60 in_log "signal 9.*another starts in 0 ms"
like "$(post deliver)" "Status: 202" "... and serves"
handler_ends

handler 2
wait_for 60 children_are 2
before=$(children)
kill -KILL "${before%% *}"
wait_for 60 children_are_other_than "$before"
ok "a worker that is killed is replaced" wait_for 60 children_are 2
ok "... and the log says so" in_log "was killed by signal 9"
for _ in {1..30}; do
	post crash >/dev/null
	in_log "another starts in 200 ms" && break
done
ok "workers that die again and again are started ever more slowly" \
	wait_for 60 in_log "another starts in 200 ms"
like "$(post deliver)" "Status: 202" "... but they are"
wait_for 60 children_are 2
before=$(children)
post_in_background "sleep 600"
stop handler KILL || true
for worker in $before; do
	ok "a worker does not outlive its parent" wait_for 60 gone "$worker"
done
wait "$background"
like "$(cat "$root/background")" "Status: 202" "... but finishes what is in flight"
ok "(a socket is left behind)" test -S "$socket"
handler 1
like "$(post deliver)" "Status: 202" "a stale socket is replaced"
handler_ends

write_config "" "key-pool = 1"
handler 1
ok "with a key pool there is one more process" wait_for 60 children_are 2
handler_ends
is "$code" 0 "... which does not hold the others up"
write_config

# --- SIGHUP

handler 2
wait_for 60 children_are 2
before=$(children)
post_in_background "sleep 600"
write_config "max-body = 1k"
handler_reload
ok "SIGHUP: the configuration is read anew" wait_for 60 in_log "read anew"
like "$(through_fastcgi POST /events "" CONTENT_LENGTH=2000)" "Status: 413" "... and in force"
wait "$background"
like "$(cat "$root/background")" "Status: 202" "... what was in flight is finished"
for worker in $before; do
	ok "... an old worker goes" wait_for 60 gone "$worker"
done
ok "... and as many are there as before" children_are 2

before=$(children)
write_config "max-body = 2m"
handler_reload
ok "SIGHUP with a wrong configuration: the log says what is wrong" \
	wait_for 60 in_log "the old one stays in force: .*/conf:3: "
write_config
echo bad >"$root/ca"
handler_reload
ok "... the same for one that cannot be opened" \
	wait_for 60 in_log "the old one stays in force: .*it is not good"
is "$(children)" "$before" "... and the workers stay"
like "$(through_fastcgi POST /events "" CONTENT_LENGTH=2000)" "Status: 413" \
	"... with the old configuration"
echo good >"$root/ca"
handler_reload
ok "a right one is taken again" wait_for 60 children_are_other_than "$before"
like "$(post deliver)" "Status: 202" "... and serves"
handler_ends
is "$code" 0 "SIGTERM after all this: exit 0"

# --- what expires: a look once a day, by a clock that the test sets

# clock_is SECONDS: so much ahead from now on
clock_is()
{
	echo "$1" >"$root/clock.new"
	mv "$root/clock.new" "$root/clock"
}

# The parent sleeps until something happens: here, a worker's death.
wake_parent()
{
	local starts

	starts=$(grep -c 'worker [0-9]* started' "$log")
	kill -KILL "$(tr -d ' ' <<<"$(children)")"
	wait_for 60 more_starts_than "$starts"
}

more_starts_than()
{
	(($(grep -c 'worker [0-9]* started' "$log") > $1))
}

looks()
{
	grep -c 'our client certificate' "$log" || true
}

echo $(($(date +%s) + 40 * 86400 + 3600)) >"$root/none.pfx"
handler 1
wait_for 60 children_are 1
is "$(looks)" 1 "a certificate that ends in 40 days: a line at the start"
ok "... which says so" in_log " warning .*our client certificate ends .*, 40 days left"
clock_is $((23 * 3600))
wake_parent
is "$(looks)" 1 "... none in the 23 hours after it"
clock_is $((86400 + 7200))
wake_parent
is "$(looks)" 2 "... another the next day"
ok "... which says so" in_log " warning .*our client certificate ends .*, 38 days left"
wake_parent
is "$(looks)" 2 "... and no more that day"
clock_is $((41 * 86400))
wake_parent
ok "... an error when it has ended" in_log " error .*our client certificate ended .*: replace it"
clock_is 0
wake_parent
is "$(looks)" 4 "... and another look when the clock is set back"
handler_ends
is "$code" 0 "SIGTERM after all this: exit 0"
rm "$root/none.pfx" "$root/clock"

# --- a socket that somebody else holds

if command -v spawn-fcgi >/dev/null; then
	: >"$log"
	start handler spawn-fcgi -n -s "$socket" -- "$binary" -c "$conf" -w 2
	wait_for 60 in_log serving
	like "$(post deliver)" "Status: 202" "an inherited socket is served"
	handler_ends
	is "$code" 0 "... until SIGTERM"
	ok "... and left to whom it belongs" test -S "$socket"
else
	skip "an inherited socket" "spawn-fcgi is not there"
fi

# --- CGI

# through_cgi METHOD BODY [NAME=VALUE...]: sets $code and $output
through_cgi()
{
	local method=$1 content=$2

	shift 2
	code=0
	output=$(printf '%s' "$content" | env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 \
		REQUEST_METHOD="$method" PATH_INFO= CONTENT_LENGTH="${#content}" \
		HTTP_AUTHORIZATION="$authorization" "$@" "$binary" -c "$conf" 2>"$log") || code=$?
}

through_cgi POST deliver
is "$code" 0 "a CGI request ends with 0"
like "$output" "^Status: 202" "... and is answered"
through_cgi GET ""
like "$output" "^Status: 200" "Test Connection by CGI"
through_cgi POST deliver CONTENT_LENGTH=100
like "$output" "^Status: 400" "a short body by CGI"
write_config "nonsense = 1"
through_cgi POST deliver
is "$code" 78 "a wrong configuration by CGI ends with 78"
like "$output" "^Status: 503" "... and is answered all the same"
ok "... and the log has the cause" in_log "/conf:3:"
write_config
mkfifo "$root/fifo"
exec 3<>"$root/fifo"
code=0
env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST CONTENT_LENGTH=7 \
	HTTP_AUTHORIZATION="$authorization" timeout 120 "$binary" -c "$conf" \
	<"$root/fifo" >/dev/null 2>&1 || code=$?
exec 3>&-
is "$code" 75 "a CGI request whose body does not come ends with 75"

done_testing

#!/bin/bash
# Metrics for Prometheus, behind nginx and from several workers: the numbers are exact, also when
# workers die and configurations change; promtool accepts the form; nothing private is in them; and
# Prometheus' and Grafana's files in contrib/ use only metrics that exist.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"

webhook=$credentials
admin=boss:admin-password
metrics=$root/metrics
workers=4
rules=$top_srcdir/contrib/prometheus/certprov.rules.yml
dashboard=$top_srcdir/contrib/grafana/certprov.json

# get_metrics: as an administrator; sets $status
get_metrics()
{
	credentials=$admin request GET /metrics
	cp "$answer.body" "$metrics"
}

# value SERIES: of the last ones; "none"
value()
{
	awk -v series="$1" '$1 == series { print $2; found = 1 } END { if (!found) print "none" }' \
		"$metrics"
}

# counted SERIES: now
counted()
{
	get_metrics
	value "$1"
}

now_is()
{
	[[ $(counted "$1") == "$2" ]]
}

# What has been counted so far: all counters that are not 0, but for what nobody can foretell.
# Our own requests for it are left out, too.
all_counted()
{
	get_metrics
	grep -E '^certprov_[a-z_]+_(total|count)[ {]' "$metrics" |
		grep -vE ' 0$|busy_seconds|address_conflicts|route="/metrics"' | sort
}

# ask METHOD PATH [CURL-OPTIONS...]: a request, whose status goes to $asked
ask()
{
	request "$@"
	asked+="$status "
}

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256
ok 'init' certprov_init
ok 'the handler starts' handler_start
ok 'nginx starts' front_start

# --- who may

get_metrics
is "$status" 403 'nginx lets nobody in as it comes'
front_stop || true
front_edit='s/deny all;/allow all;/' ok 'it is opened' front_start
for method in GET HEAD POST; do
	credentials=$admin request "$method" /metrics
	is "$status" 404 "without [admin]: $method is 404"
done
(umask 077 && htpasswd -niBC 5 boss <<<"${admin#*:}" >"$root/certprov/admin.users")
configure admin.users-file=admin.users
handler_stop || true
ok 'with [admin]' handler_start
get_metrics
is "$status $(header Content-Type)" '200 text/plain; version=0.0.4; charset=utf-8' 'they are there'
is "$(header Cache-Control)" no-store 'not to be kept'
credentials=$webhook request GET /metrics
is "$status" 401 "the webhook's credentials do not open them"
is "$(header WWW-Authenticate)" 'Basic realm="certprov admin", charset="UTF-8"' 'which others do'
credentials='' request GET /metrics
is "$status" 401 'nor none'
credentials=$admin request GET /events
is "$status" 401 "an administrator's do not open the webhook"
credentials=$admin request POST /metrics --data x
is "$status $(header Allow)" '405 GET, HEAD' 'nobody may post to it'
configure admin.users-file=uem.users
not_ok 'one file for both is refused' certprov check
configure admin.users-file=admin.users

# --- what was done is what is counted

handler_stop || true
ok 'a new handler' handler_start
is "$(all_counted)" '' 'begins at nought'
is "$(value certprov_workers)" 4 'with its workers'
is "$(value certprov_store_up) $(value certprov_users)" '1 0' 'and an empty store'

events aaaaaaa 40 40
post_many 8 "$root"/aaaaaaa/*
is "$statuses" '40x202' 'forty events at eight connections'
eg_script 500 400
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/later.json"
asked=
post_event "$root/later.json"
asked+="$status "
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/never.json"
post_event "$root/never.json"
asked+="$status "
ask POST /events --header 'Content-Type: text/html' --data '<html></html>'
ask POST /events --header 'Content-Type: application/json' --data '{"a":'
ask GET /events
ask GET /
ask GET /healthz
ask GET /ca.cer
ask GET /ca.crl
ask GET /nothing
ask GET "/events/$(new_uuid)"
ask POST /healthz --data x
credentials=uem:wrong ask GET /events
credentials=nobody:wrong ask GET /events
credentials='' ask GET /events
credentials='' ask GET /events --header 'Authorization: Bearer x'
is "$asked" '503 502 415 400 200 200 200 200 200 404 404 405 401 401 401 401 ' \
	'and one of each other kind'
all_counted >"$root/counted"
sort >"$root/expected" <<-END
	certprov_requests_total{route="/events",status="202"} 40
	certprov_requests_total{route="/events",status="503"} 1
	certprov_requests_total{route="/events",status="502"} 1
	certprov_requests_total{route="/events",status="415"} 1
	certprov_requests_total{route="/events",status="400"} 1
	certprov_requests_total{route="/events",status="200"} 2
	certprov_requests_total{route="/events",status="401"} 4
	certprov_requests_total{route="/healthz",status="200"} 1
	certprov_requests_total{route="/healthz",status="405"} 1
	certprov_requests_total{route="/ca.cer",status="200"} 1
	certprov_requests_total{route="/ca.crl",status="200"} 1
	certprov_requests_total{route="other",status="404"} 2
	certprov_authentication_failures_total{cause="missing"} 1
	certprov_authentication_failures_total{cause="malformed"} 1
	certprov_authentication_failures_total{cause="unknown_user"} 1
	certprov_authentication_failures_total{cause="wrong_password"} 1
	certprov_certificates_issued_total{ca="local",result="ok"} 84
	certprov_uploads_total{gateway="$eg_url",result="ok"} 40
	certprov_uploads_total{gateway="$eg_url",result="unavailable"} 1
	certprov_uploads_total{gateway="$eg_url",result="refused"} 1
	certprov_step_seconds_count{step="record"} 42
	certprov_step_seconds_count{step="identity"} 42
	certprov_step_seconds_count{step="signing"} 42
	certprov_step_seconds_count{step="encryption"} 42
	certprov_step_seconds_count{step="pack"} 42
	certprov_step_seconds_count{step="upload"} 42
	certprov_step_seconds_count{step="finish"} 42
END
is "$(<"$root/counted")" "$(<"$root/expected")" 'are counted exactly'
is "$(value 'certprov_step_seconds_bucket{step="upload",le="+Inf"}')" 42 'the last bucket has all'
like "$(value certprov_worker_busy_seconds_total)" '^[0-9.]+$' 'workers were busy'
isnt "$(value certprov_worker_busy_seconds_total)" 0 'for a while'
is "$(value 'certprov_events{state="delivered"}') $(value 'certprov_events{state="pending"}') $(
	value 'certprov_events{state="failed"}')" '40 1 1' 'the store knows the same'
is "$(value certprov_uploads_pending) $(value certprov_uploads_failed)" '1 1' 'of the uploads, too'
like "$(value certprov_oldest_pending_event_age_seconds)" '^[0-9]+$' 'one has waited'
is "$(value 'certprov_certificates{usage="signing",state="active"}') $(
	value 'certprov_devices{state="enrolled"}') $(value certprov_users)" '42 42 42' 'all are there'

# --- what ends

end_of()
{
	date -d "$(openssl x509 -noout -enddate "$@" | sed 's/.*=//')" +%s
}

is "$(value 'certprov_expiry_timestamp_seconds{object="client_certificate"}')" \
	"$(end_of -in "$pki/identity.crt")" 'our client certificate ends when openssl says'
is "$(value 'certprov_expiry_timestamp_seconds{object="ca_certificate"}')" \
	"$(end_of -in "$root/certprov/ca.crt")" 'and the CA'
is "$(value certprov_ca_shortens_timestamp_seconds)" \
	$(($(end_of -in "$root/certprov/ca.crt") - 365 * 86400)) '... which shortens what it issues before'
is "$(value 'certprov_expiry_timestamp_seconds{object="crl"}')" \
	"$(date -d "$(certprov crl --pem --output "$root/list" >/dev/null &&
		openssl crl -in "$root/list" -noout -nextupdate | sed 's/.*=//')" +%s)" \
	'its list is to be renewed then'
soonest=$(certprov list certificates --json | jq -r '[.[].not_after | fromdate] | min')
is "$(value 'certprov_expiry_timestamp_seconds{object="certificates"}')" "$soonest" \
	'and the first of the users'

# --- what others do shows in the store alone

ok 'deliver' certprov deliver --now
is "$(all_counted)" "$(<"$root/expected")" 'counts nothing in the handler'
is "$(value 'certprov_events{state="delivered"}') $(value certprov_uploads_failed) $(
	value certprov_oldest_pending_event_age_seconds)" '42 0 0' 'and shows in the store'

# --- workers that die

series='certprov_requests_total{route="/events",status="202"}'
eg_script 'hang 30'
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/hangs.json"
(answer=$root/hangs && post_event "$root/hangs.json") &
hanging=$!
ok 'an event is being processed' wait_for 60 now_is 'certprov_events{state="pending"}' 1
ok 'its upload hangs: two workers are busy, with the one that says so' wait_for 60 \
	now_is certprov_workers_busy 2
mapfile -t before < <(pgrep -P "${pids[handler]}")
kill -KILL "${before[@]}"
wait "$hanging" || true
replaced()
{
	[[ $(pgrep -c -P "${pids[handler]}") == 4 ]]
}
ok 'all workers are killed, and others come' wait_for 60 replaced
ok 'the counters go on' wait_for 60 now_is "$series" 40
ok 'nobody is busy but who answers' wait_for 60 now_is certprov_workers_busy 1
is "$(value certprov_workers)" 4 'there are four, as before'
is "$(value certprov_worker_deaths_total)" 4 'four have died'
events bbbbbbb 8 8
post_many 4 "$root"/bbbbbbb/*
is "$statuses $(counted "$series")" '8x202 48' 'the new ones count on'

# --- another configuration

ok 'another gateway starts' eg_of eg2 eg_start
configure "escrow.url=${eg_urls[eg2]}, $eg_url"
mapfile -t before < <(pgrep -P "${pids[handler]}")
handler_reload
second="certprov_uploads_total{gateway=\"${eg_urls[eg2]}\",result=\"ok\"}"
ok 'SIGHUP' wait_for 60 now_is "$second" 0
workers_are_new()
{
	! kill -0 "${before[@]}" 2>/dev/null && now_is certprov_workers 4
}
ok 'the old workers have gone' wait_for 60 workers_are_new
is "$(counted "$series")" 48 'the counters go on'
is "$(value certprov_worker_deaths_total)" 4 'who was told to go has not died'
events ccccccc 3 3
post_many 3 "$root"/ccccccc/*
is "$statuses $(counted "$series")" '3x202 51' 'the new workers count on'
is "$(value "$second") $(value "certprov_uploads_total{gateway=\"$eg_url\",result=\"ok\"}")" '3 51' \
	'each gateway on its own'

# --- the form, and what uses it

if command -v promtool >/dev/null; then
	ok 'promtool finds nothing wrong' promtool check metrics <"$metrics"
	ok 'the rules are right' promtool check rules "$rules"
	ok 'each alert fires when it must' promtool test rules \
		"$top_srcdir/tests/data/prometheus/certprov.rules.test.yml"
else
	skip 'promtool finds nothing wrong' 'no promtool here'
fi
is "$(grep -vE '^(# (HELP|TYPE) certprov_[a-z_]+ |certprov_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.]+$)' \
	"$metrics")" '' 'each line is of the form'

# The names in PromQL on standard input that our metrics do not have
unknown_names()
{
	grep -oE 'certprov_[a-z_]+' | sort -u |
		comm -23 - <(sed -n 's/^\(# TYPE \)\?\(certprov_[a-z_]*\).*/\2/p' "$metrics" | sort -u)
}

expressions=$(jq -r '.. | .expr? // empty' "$dashboard")
ok 'the dashboard asks for a lot' test "$(wc -l <<<"$expressions")" -ge 20
is "$(unknown_names <<<"$expressions")" '' 'all of which there is'
is "$(grep -v '^ *#' "$rules" | unknown_names)" '' 'the rules, too'
is "$(grep -v '^ *#' "$rules" | grep -oE 'certprov_[a-z_]+' | sort -u | wc -l)" 16 'which use sixteen'
is "$(sed -n '/^\.It Cm/s/certprov_/\n&/gp' "$top_srcdir/man/certprov.fcgi.8" |
	grep -oE '^certprov_[a-z_]+' | grep -v ^certprov_uem_ | sort)" "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$metrics" | sort)" \
	'the manual has each metric, but for those of [uem]'

# --- a wrong password, where few events come

is "$(counted certprov_unauthenticated_events)" 0 'the last post was let in'
credentials=uem:wrong ask POST /events --header 'Content-Type: application/json' --data '{}'
is "$(counted certprov_unauthenticated_events)" 1 'one is refused'
credentials=uem:wrong ask GET /events
is "$(counted certprov_unauthenticated_events)" 1 '... which a try by hand is not'

# --- nobody's business

not_ok 'no device, no user' grep -iE '[0-9a-f]{8}-[0-9a-f]{4}-' "$metrics"
not_ok 'no address, no name' grep -iE '@|example|bbbbbbb' "$metrics"
not_ok 'no place in the file system' grep -F "$root" "$metrics"
not_ok 'no password' grep -E "password\"|${webhook#*:}|${admin#*:}" \
	<(grep -v 'cause="wrong_password"' "$metrics")

done_testing

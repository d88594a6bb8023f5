# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120 # for those who source it
# The library of the system tests: a private world in a temporary folder, in
# which the programs run behind a real nginx, with a simulated Escrow Gateway at
# the other end. A test file begins with
#
#	. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
#
# and ends with `done_testing`. Everything it starts or makes is gone when it
# ends, however it ends. It can be run by `make check` or by hand from the build
# folder (or with top_builddir=FOLDER); CERTPROV_TEST_KEEP=1 leaves $root behind.
#
# Parts, each with its functions listed at its top: lib-tap.sh (ok, is, like),
# lib-process.sh (start, stop, wait_for), lib-pki.sh (certificates),
# lib-gateway.sh (eg_...), and here:
#
#   world [KEY=VALUE...]     all of it: eg_start, configure, certprov_init, handler_start,
#                            front_start; KEY as for configure
#   configure [SECTION.KEY=VALUE...]   writes $conf; values stay for later calls, an empty
#                            one removes the key: configure escrow.timeout=3s
#   certprov ARGS...         the command line, on $conf
#   sanitized                whether it was built with AddressSanitizer: its memory is not ours, and
#                            faketime makes it hang
#   old_ca                   a local CA of many years ago, for certificates that began then; before
#                            certprov_init, which keeps it
#   certprov_init [ARGS...]  certprov init
#   handler_start            certprov.fcgi -s, with $workers workers; its log: $root/handler.log
#   handler_stop             SIGTERM; gives its exit status
#   handler_reload           SIGHUP
#   handler_renew            the same, and waits until no process from before runs
#   handler_with [SECTION.KEY=VALUE...]   as configure; then a new handler, which has read it
#   query SQL                from the store, past the program
#   rows WHAT [OPTION...]    how many `certprov list WHAT` has
#   front_start              nginx with our own files from nginx/; its log: $front/nginx.log
#   request METHOD PATH [CURL-OPTIONS...]   PATH is behind /certprov. Sets $status, $body;
#                            all of the answer is in $answer.headers, $answer.body; those of
#                            all requests are in $root/answers
#   header NAME              of the last answer
#   post_event FILE [CURL-OPTIONS...]       FILE may be - for standard input
#   given_up FILE            the same by a sender that goes when the upload is on its way
#   event_json [CHANGE...]   the sample event with changes: device=UUID user=UUID mail=… name=…
#                            Field=TEXT Field:=JSON -Field
#   new_uuid
#   enroll DEVICE USER [CHANGE...]          posts that enrollment, from $answer.json
#   unenroll DEVICE [TIME]   the same of Break MDM Confirmed; its EventTime, if that counts
#
# Several requests at the same time: give each its own answer, in a subshell:
#	(answer=$root/answer-7; post_event "$file"; echo "$status" >"$answer.status") &

set -euo pipefail
export LC_ALL=C.UTF-8
exec </dev/null # no test asks a question

top_srcdir=$(cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx || true)
root=$(mktemp -d "${TMPDIR:-/tmp}/certprov-test.XXXXXX")
scratch=() # more folders to remove, where a test needs them outside $root
accounts=() # of the system, to remove

# shellcheck source=tests/system/lib-tap.sh
. "$top_srcdir/tests/system/lib-tap.sh"
# shellcheck source=tests/system/lib-process.sh
. "$top_srcdir/tests/system/lib-process.sh"
# shellcheck source=tests/system/lib-pki.sh
. "$top_srcdir/tests/system/lib-pki.sh"
# shellcheck source=tests/system/lib-gateway.sh
. "$top_srcdir/tests/system/lib-gateway.sh"

front=$root/front
front_port=
front_http_port=
front_url=
conf=$root/certprov/certprov.conf
workers=2
answer=$root/answer
credentials=uem:webhook-password
status=
body=
sample_event=$top_srcdir/tests/data/enrollment-event.json

# --- the end

show_logs()
{
	local log

	for log in "$root"/*.log "$root"/*/nginx.log "$root"/eg/state/log; do
		[[ -s $log ]] || continue
		diag "--- ${log#"$root"/}, its last lines"
		tail -n 40 "$log" | sed 's/^/#   /'
	done
}

sanitizers_are_silent()
{
	local reports

	reports=$(grep -lE 'Sanitizer|runtime error:' "$root"/*.log 2>/dev/null || true)
	[[ -z $reports ]] || fail "no sanitizer has anything to say, in $reports"
}

on_exit()
{
	local code=$? account

	trap '' INT TERM HUP PIPE # the reader of our output may have exited already
	stop_everything
	for account in "${accounts[@]}"; do
		userdel "$account" 2>/dev/null || true
	done
	if ((code != 0)); then
		show_logs 2>/dev/null || true
	fi
	if [[ -n ${CERTPROV_TEST_KEEP:-} ]]; then
		diag "left behind: $root"
	else
		rm -rf "$root" "${scratch[@]}"
	fi
	if [[ -z $tap_done ]]; then
		printf 'Bail out! %s ended with %d before its done_testing\n' "${0##*/}" "$code"
		exit 1
	fi
}

trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- configuration

declare -A settings=(
	[events.users-file]=uem.users
	[identity.mail]='{EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'
	[identity.name]='{EnrollmentUserName}'
	[identity.subject]='CN={name},O=Example'
	[identity.address-conflict]=warn # most tests give all their users the sample's address
	[certificates.key-pool]=0
	[escrow.identity]=certificate.pfx
	[escrow.identity-password-file]=certificate.password
	[escrow.ca-file]=eg-ca.pem
	[escrow.pkcs12-password-file]=p12.password
	[store.url]=sqlite:certprov.db
	[store.key-file]=store.key
)

configure()
{
	local setting key section last=

	for setting; do
		settings[${setting%%=*}]=${setting#*=}
	done
	: "${settings[escrow.url]:=$eg_url}"
	for key in "${!settings[@]}"; do
		[[ -z ${settings[$key]} ]] || printf '%s\n' "$key"
	done | sort | while read -r key; do
		section=${key%.*}
		[[ $section == "$last" ]] || printf '[%s]\n' "$section"
		last=$section
		printf '%s = %s\n' "${key##*.}" "${settings[$key]}"
	done >"$conf"
}

# Files that the configuration names: our client identity, passwords, users.
certprov_setup()
{
	local dir=${conf%/*}

	mkdir -p "$dir"
	pki_client identity eg-ca -days 365
	pki_pfx identity 'identity password'
	eg_list identity
	(
		umask 077
		cp "$pki/identity.pfx" "$dir/certificate.pfx"
		cp "$pki/eg-ca.crt" "$dir/eg-ca.pem"
		cp "$eg/p12.password" "$dir/p12.password"
		printf 'identity password\n' >"$dir/certificate.password"
		htpasswd -niBC 5 "${credentials%%:*}" <<<"${credentials#*:}" >"$dir/uem.users"
	)
}

# --- the programs

# Built ones lie in the build folder or beneath it; an installed one may be named.
program()
{
	local dir

	for dir in "${CERTPROV_BINDIR:-$top_builddir}" "$top_builddir/fcgi" "$top_builddir/cli"; do
		if [[ -f $dir/$1 && -x $dir/$1 ]]; then
			printf '%s\n' "$dir/$1"
			return 0
		fi
	done
	printf 'no program %s in %s\n' "$1" "$top_builddir" >&2
	return 1
}

sanitized()
{
	grep -q __asan_init "$(program certprov)"
}

certprov()
{
	"$(program certprov)" -c "$conf" "$@"
}

old_ca()
{
	past='5000 days ago' in_past pki_ca old-ca -days 10000
	install -m 600 "$pki/old-ca.key" "${conf%/*}/ca.key"
	install -m 644 "$pki/old-ca.crt" "${conf%/*}/ca.crt"
	configure ca.certificate=ca.crt ca.key=ca.key
}

certprov_init()
{
	certprov init "$@" >>"$root/init.log" 2>&1
}

handler_start()
{
	local binary

	binary=$(program certprov.fcgi) || return 1
	rm -f "$root/certprov.sock"
	start handler "$binary" -c "$conf" -s "$root/certprov.sock" -w "$workers"
	wait_ready handler -S "$root/certprov.sock"
}

handler_stop()
{
	stop handler
}

handler_reload()
{
	kill -HUP "${pids[handler]}"
}

handler_renew()
{
	local pid
	local -a old_processes

	mapfile -t old_processes < <(pgrep -P "${pids[handler]}")
	handler_reload
	for pid in "${old_processes[@]}"; do
		wait_for 120 gone "$pid" || return 1
	done
}

handler_with()
{
	configure "$@"
	handler_stop || return 1
	handler_start || return 1
	request GET /healthz # when that is answered, a worker has read its files
}

query()
{
	sqlite3 -cmd '.timeout 20000' "${conf%/*}/certprov.db" "$1"
}

rows()
{
	certprov list "$@" --json | jq length
}

# --- the web server in front, with the files that we install

front_conf()
{
	local file

	mkdir -p "$front/tmp" "$front/conf.d" "$front/snippets" "$front/sites-enabled"
	for file in conf.d/certprov.conf conf.d/certprov-tenants.conf snippets/certprov.conf \
		snippets/certprov-fastcgi.conf snippets/certprov-tenants.conf \
		snippets/certprov-tenants-public.conf snippets/certprov-web-server-auth.conf \
		snippets/certprov-crl-cache.conf sites-available/certprov; do
		sed -e "s|/run/certprov/|$root/|" \
			-e "/listen \[::\]/d; s|listen 443|listen 127.0.0.1:$1|" \
			-e "s|listen 80;|listen 127.0.0.1:$2;|; s|certprov.example.com|localhost|" \
			-e "s|/etc/ssl/certs/certprov.pem|$pki/front.crt|" \
			-e "s|/etc/ssl/private/certprov.key|$pki/front.key|" \
			-e "s|/var/log/nginx/|$front/|; s|/var/cache/|$front/|" \
			-e "s|^fastcgi_cache certprov_crl;|fastcgi_cache ${front_cache:-off};|" \
			${front_edit:+-e "$front_edit"} \
			"$top_srcdir/nginx/$file" >"$front/${file/available/enabled}"
	done
	cat >"$front/nginx.conf" <<-END
		$(nginx_user)
		daemon off;
		worker_processes 2;
		pid $front/nginx.pid;
		error_log $front/nginx.log warn;
		lock_file $front/nginx.lock;
		events { worker_connections 1024; }
		http {
			client_body_temp_path $front/tmp/body;
			fastcgi_temp_path $front/tmp/fastcgi;
			proxy_temp_path $front/tmp/proxy;
			scgi_temp_path $front/tmp/scgi;
			uwsgi_temp_path $front/tmp/uwsgi;
			include $front/conf.d/*.conf;
			include $front/sites-enabled/*;
		}
	END
}

front_certificate()
{
	[[ -e $pki/front.crt ]] || {
		pki_ca front-ca
		pki_server front front-ca localhost
	}
}

# front_edit: a sed command for our files, where a test needs another setting. front_cache:
# certprov_crl where nginx may keep revocation lists, so that a new one is late.
front_start()
{
	local port http_port

	front_certificate
	for _ in 1 2 3 4 5; do
		port=${front_port:-$(free_port)}
		http_port=${front_http_port:-$(free_port)}
		front_conf "$port" "$http_port"
		if nginx_start front "$front"; then
			front_port=$port
			front_http_port=$http_port
			front_url=https://localhost:$port/certprov
			return 0
		fi
		port_was_taken "$front" || return 1
	done
	return 1
}

front_stop()
{
	stop front
}

world()
{
	eg_start || return 1
	configure "$@"
	certprov_init || return 1
	handler_start || return 1
	front_start
}

# --- requests

request()
{
	local method=$1 path=$2
	local -a how=()

	shift 2
	case $method in
	GET) ;;
	HEAD) how=(--head) ;;
	*) how=(--request "$method") ;;
	esac
	[[ -z $credentials ]] || how+=(--user "$credentials")
	: >"$answer.body"
	: >"$answer.headers"
	status=$(curl --silent --show-error --max-time 120 --cacert "$pki/front-ca.crt" \
		--output "$answer.body" --dump-header "$answer.headers" \
		--write-out '%{http_code}' "${how[@]}" "$@" "$front_url$path" 2>"$answer.error") ||
		diag "curl: $(<"$answer.error")"
	body=$(tr -d '\0' <"$answer.body")
	cat "$answer.headers" "$answer.body" >>"$root/answers"
}

header()
{
	sed -n "s/^$1: *//Ip" "$answer.headers" | tr -d '\r' | tail -n 1
}

post_event()
{
	local file=$1

	shift
	request POST /events --header 'Content-Type: application/json' --data-binary "@$file" "$@"
}

given_up()
{
	local post

	eg_gate slow
	(
		post_event "$1" --max-time 600
		printf '%s\n' "$status" >"$root/given-up"
	) &
	post=$!
	eg_held
	pkill -f "^curl .*$answer\.body"
	wait "$post"
	eg_open
	status=$(<"$root/given-up")
}

# --- events

event_json()
{
	jq -c '
		{device: "DeviceUUID", user: "EnrollmentUserUUID",
			mail: "EnrollmentEmailAddress", name: "EnrollmentUserName"} as $short
		| reduce $ARGS.positional[] as $change (.;
			($change | capture("^(?<drop>-)?(?<key>[A-Za-z]+)(?<how>:?=)?(?<value>.*)$"; "p")) as $c
			| ($short[$c.key] // $c.key) as $key
			| if $c.drop then del(.[$key])
			elif $c.how == ":=" then .[$key] = ($c.value | fromjson)
			else .[$key] = $c.value end)' "$sample_event" --args -- "$@"
}

new_uuid()
{
	cat /proc/sys/kernel/random/uuid
}

enroll()
{
	event_json "device=$1" "user=$2" "${@:3}" >"$answer.json"
	post_event "$answer.json"
}

unenroll()
{
	jq --arg device "$1" --arg time "${2:-}" '.DeviceUUID = $device
		| if $time != "" then .EventTime = $time else . end' \
		"$top_srcdir/tests/data/events/break-mdm.json" >"$answer.json"
	post_event "$answer.json"
}

[[ -n $nginx ]] || skip_all 'no nginx here'
pki_setup
eg_setup
certprov_setup

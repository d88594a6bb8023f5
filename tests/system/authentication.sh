#!/bin/bash
# Credentials of those who post events, through nginx; what a refused client is told; and the other
# two kinds of authentication.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

users=$root/certprov/uem.users

# with_authorization TEXT: Test Connection with that in the Authorization header
with_authorization()
{
	credentials='' request GET /events --header "Authorization: $1"
}

basic()
{
	printf 'Basic %s' "$(printf '%s' "$1" | base64 -w 0)"
}

# turned_away NAME: the last answer
turned_away()
{
	answered 401 "$1"
	is "$(header WWW-Authenticate)" 'Basic realm="certprov", charset="UTF-8"' '... WWW-Authenticate'
	is "$(jq -r .detail "$answer.body")" 'Credentials are missing or wrong.' '... no more is said'
}

# What the handler's processes have used of the processor, in milliseconds.
used()
{
	local pid ticks=0

	for pid in $(pgrep -P "${pids[handler]}"); do
		ticks=$((ticks + $(awk '{ print $14 + $15 }' "/proc/$pid/stat")))
	done
	printf '%d\n' $((ticks * 1000 / $(getconf CLK_TCK)))
}

# timed COMMAND...: sets $took, milliseconds of the processor: others do not count in these
timed()
{
	local before

	before=$(used)
	"$@"
	took=$(($(used) - before))
}

# direct BODY [NAME=VALUE...]: an event past nginx; prints the answer
direct()
{
	local content=$1

	shift
	printf '%s' "$content" | env -i PATH="$PATH" REQUEST_METHOD=POST PATH_INFO=/events \
		CONTENT_LENGTH="${#content}" "$@" cgi-fcgi -bind -connect "$root/certprov.sock"
}

# --- basic: what is refused

ok 'everything starts' world certificates.key=ec-p256

for given in '' Basic 'Basic ?' 'Bearer abc' "Basic: $(basic uem:webhook-password)" \
	"Digest ${given:-dWVtOndlYmhvb2stcGFzc3dvcmQ=}" "$(basic uem)" "$(basic uem:)" "$(basic :)" \
	"$(basic uem:wrong)" "$(basic uem:webhook-passwor)" "$(basic uem:webhook-password2)" \
	"$(basic ' uem:webhook-password')" "$(basic UEM:webhook-password)" \
	"$(basic root:webhook-password)" "$(basic :webhook-password)" \
	"$(basic "uem:$(printf 'x%.0s' {1..3000})")"; do
	with_authorization "$given"
	turned_away "'${given:0:50}'"
done

# --- what the log says of it

ok 'the log says: none' in_log '401 in .*: there are no credentials'
ok '... or another kind' in_log '401 in .*: the credentials are not HTTP Basic'
ok '... or no base64' in_log '401 in .*: the Basic credentials are not valid base64'
ok '... or a wrong password' in_log '401 in .*: user "uem": wrong password'
ok '... or an unknown user' in_log '401 in .*: user "root": there is no such user'
with_authorization "$(basic $'ev"il\nuser:x')"
turned_away 'a name that would forge a line'
ok '... does not' in_log '401 in .*: user "ev\?il\?user": there is no such user'

# --- the body of who is refused is not looked at

credentials=uem:wrong
refused 401 '' Credentials 'an event with a wrong password' <"$sample_event"
refused 401 '' Credentials 'rubbish with a wrong password' <<<rubbish
refused 413 '' 'At most' 'too much with a wrong password' < <(head -c 70000 /dev/zero)
credentials=
refused 401 '' Credentials 'an event without credentials' <"$sample_event"
credentials=uem:webhook-password
is "$(certprov list events)" '' 'none of them is recorded'

# --- what is taken

for given in Basic BaSIc basic BASIC 'Basic  '; do
	with_authorization "$(basic uem:webhook-password | sed "s/Basic/$given/")"
	answered 200 "the scheme '$given'"
done
for path in /healthz /ca.cer; do
	credentials='' request GET "$path"
	is "$status" 200 "$path needs no credentials"
done

{
	printf '# rotated every year\n\n'
	htpasswd -niBC 12 uem <<<'webhook-password' | grep .
	printf 'yes:%s\n' "$(mkpasswd -m yescrypt 'pässwört: with colon')"
	printf 'sha:%s\n' "$(openssl passwd -6 'another password')"
} >"$users"
ok 'a users file with several kinds of hash' handler_with
for given in uem:webhook-password 'yes:pässwört: with colon' 'sha:another password'; do
	with_authorization "$(basic "$given")"
	answered 200 "the hash of ${given%%:*}"
done
with_authorization "$(basic 'sha:webhook-password')"
turned_away "another user's password"

# --- time: bcrypt with cost 12 takes a quarter of a second

workers=1
ok 'with one worker' handler_with
timed with_authorization "$(basic uem:wrong)"
slow=$took
ok "a wrong password costs its time ($slow ms)" test "$slow" -ge 60
timed with_authorization "$(basic nobody:wrong)"
ok "an unknown user the same ($took ms)" test "$took" -ge $((slow / 2))
timed with_authorization "$(basic uem:webhook-password)"
first=$took
timed with_authorization "$(basic uem:webhook-password)"
is "$status" 200 "the right one is right ($first ms)"
ok "... and remembered ($took ms)" test "$took" -le $((first / 2))

# --- a new password

htpasswd -niBC 5 uem <<<'a new password' >"$users"
not_ok 'a new password holds with the next SIGHUP' in_log 'read anew'
ok '... which the old worker does not outlast' handler_renew
ok '... the log says so' wait_for 60 in_log 'read anew'
with_authorization "$(basic 'uem:webhook-password')"
turned_away 'the old one, once right,'
with_authorization "$(basic 'uem:a new password')"
answered 200 'the new one'

# --- a users file that must not be used

chmod 644 "$users"
unusable events.users-file 'uem\.users has mode 0644; .*chmod 0600' 'one that others can read'
chmod 600 "$users"
ok 'with mode 0600' handler_with
: >"$users"
unusable events.users-file 'uem\.users: there is no user in it' 'an empty one'
echo 'uem:webhook-password' >"$users"
check_fails events.users-file 'uem\.users:1: only bcrypt'

# --- none

credentials=
ok 'authenticate = none' handler_with events.authenticate=none events.users-file=
request GET /events
answered 200 'Test Connection'
taken 'an event without credentials' <"$sample_event"
credentials=who:ever
taken 'an event with whatever credentials' <"$sample_event"

# --- web-server

ok 'authenticate = web-server' handler_with events.authenticate=web-server
for name in Remote-User REMOTE_USER X-Remote-User; do
	request GET /events --header "$name: uem"
	is "$status" 401 "nobody has verified a name in $name"
done
ok '... the log says what is missing' in_log '401 in .*the web server did not pass REMOTE_USER'

# verified STATUS WHAT PARAMETER...: an event with that from the web server
verified()
{
	like "$(direct '{"EventId":178}' "${@:3}")" "^Status: $1 " "$2"
}

verified 200 'a name, verified by nginx' REMOTE_USER=uem CERTPROV_AUTHENTICATED=yes
verified 200 '... by Apache' REMOTE_USER=uem SERVER_SOFTWARE=Apache/2.4.62
verified 200 '... by a server that says how' REMOTE_USER=uem AUTH_TYPE=Basic
verified 401 'a name alone' REMOTE_USER=uem
verified 401 '... from nginx' REMOTE_USER=uem SERVER_SOFTWARE=nginx/1.22.1
verified 401 '... whatever nginx is told to pass' REMOTE_USER=uem AUTH_TYPE=Basic SERVER_SOFTWARE=nginx
verified 401 'a parameter that says no' REMOTE_USER=uem CERTPROV_AUTHENTICATED=no
verified 401 'an empty one' REMOTE_USER=uem CERTPROV_AUTHENTICATED=
verified 401 'an empty name' REMOTE_USER= CERTPROV_AUTHENTICATED=yes
verified 401 'headers of these names' HTTP_REMOTE_USER=uem HTTP_CERTPROV_AUTHENTICATED=yes

# Debian's own fastcgi_params passes a name that nobody has verified.
front_stop || true
events_before=$(certprov list events)
# shellcheck disable=SC2016 # nginx's variable
unverified='fastcgi_param REMOTE_USER $remote_user;'
[[ ! -e /etc/nginx/fastcgi_params ]] || unverified='include /etc/nginx/fastcgi_params;'
front_edit="s|include snippets/certprov-fastcgi.conf;|&\n\t$unverified|" \
	ok 'nginx passes REMOTE_USER as fastcgi_params does' front_start
for credentials in 'uem:any password' uem:webhook-password; do
	post_event "$sample_event" --header 'Certprov-Authenticated: yes' \
		--header 'CERTPROV_AUTHENTICATED: yes'
	is "$status" 401 "... and $credentials is refused"
done
ok '... the log says why' in_log '401 in .*passed REMOTE_USER without CERTPROV_AUTHENTICATED'
is "$(certprov list events)" "$events_before" '... and no event is recorded'
front_stop || true
htpasswd -niBC 5 uem <<<'web server' >"$front/uem.users"
front_edit="s|# include snippets/certprov-web|include snippets/certprov-web|
	s|^auth_basic_user_file .*;|auth_basic_user_file $front/uem.users;|" ok 'nginx checks them' front_start
credentials='uem:web server'
taken 'an event that nginx has let in' <"$sample_event"
credentials=uem:wrong
post_event "$sample_event"
is "$status" 401 'one that it has not'
credentials=
post_event "$sample_event"
is "$status" 401 '... nor without credentials'

credentials=uem:webhook-password
not_ok 'no secret in an answer or a log' told_secrets
done_testing

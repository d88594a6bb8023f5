#!/bin/bash
# Microsoft AD CS: the ways to authenticate that ca-conformance.sh does not try, above all
# Kerberos, with a real KDC and Apache's mod_auth_gssapi in front of the simulated pages.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"
# shellcheck source=tests/system/lib-kerberos.sh
. "$top_srcdir/tests/system/lib-kerberos.sh"

mail=test.person@example.com
said=

order()
{
	ca_order "$@" "$conf" signing "$mail"
}

says()
{
	like "$said" "$1" "$2"
}

# use [KEY=VALUE...] of [ca]
use()
{
	ca_forget
	configure certificates.key=ec-p256 ca.type=adcs ca.timeout=60s ca.template=SMimeUser \
		"ca.ca-file=$ca/issuers/tls.crt" "ca.issuer-file=$ca/issuers/root.crt" "${@/#/ca.}"
}

use_kerberos()
{
	use "url=$ca_kerberos_url" auth=kerberos "keytab=$krb/svc.keytab" "$@"
}

use_basic()
{
	use "url=$ca_basic_url" auth=basic 'username=EXAMPLE\ra' "password-file=$ca/ra.password" "$@"
}

# Who has asked the CA for something since ca_log_from_here.
askers()
{
	ca_log .identity | sort -u | tr '\n' ' '
}

posts()
{
	ca_log 'select(.method == "POST") | .status' | wc -l
}

# post: an event for a device that is new; sets $status, $device
post()
{
	device=$(new_uuid)
	event_json "device=$device" "user=$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
}

kdc_account svc +requires_preauth
kdc_account svc2 +requires_preauth
kdc_account short -maxlife '10 seconds'
htpasswd -niBC 5 'EXAMPLE\ra' <"$ca/ra.password" >"$krb/users"
ok 'the KDC starts' kdc_start
ok 'the CA starts' ca_start
ok '... behind Apache' ca_apache_start

# --- the main job, with a ticket

# ticket_files: where MIT Kerberos has its tickets if nobody says otherwise
ticket_files()
{
	find /tmp -maxdepth 1 -name "krb5cc_$(id -u)*" -printf '%f %T@\n' | sort
}

before=$(ticket_files)
use_kerberos
ok 'the world starts' world
ca_order "$conf" probe
says '^ok$' 'the CA accepts our credentials'
ca_log_from_here
post
is "$status" 202 'an event is answered'
is "$(eg_log 'select(.upload != "") | [.signing, .encryption]')" '[1,1]' \
	'the Escrow Gateway has both certificates'
is "$(ca_certificates_issued)" 2 'the CA has issued no others'
is "$(askers)" 'user:svc@EXAMPLE.TEST ' 'the CA knows who has asked'
is "$(ca_log 'select(.method == "POST") | .status')" $'200\n200' 'each request was sent once'
certprov check >"$root/check" 2>&1 || true
ok 'check finds the CA well' grep -qE '^ok +CA: .* answers \(adcs\)$' "$root/check"
is "$(ticket_files)" "$before" 'no ticket is left in a file'

# --- whose ticket

cat "$krb/svc2.keytab" >"$krb/both.keytab"
tail -c +3 "$krb/svc.keytab" >>"$krb/both.keytab"
chmod 600 "$krb/both.keytab"
for who in svc svc2 svc@EXAMPLE.TEST; do
	use_kerberos "keytab=$krb/both.keytab" "principal=$who"
	ca_log_from_here
	order
	says '^issued' "principal = $who"
	is "$(askers)" "user:${who%@*}@EXAMPLE.TEST " '... asks'
done
use_kerberos "keytab=$krb/both.keytab"
ca_log_from_here
order
is "$(askers)" 'user:svc2@EXAMPLE.TEST ' 'without principal the first one asks'

use_kerberos
configure "ca encryption.keytab=$krb/svc2.keytab"
handler_reload
ok 'two keytabs in one process' handler_stop
ok '...' handler_start
ca_log_from_here
for _ in 1 2 3; do
	post
	is "$status" 202 'an event is answered'
done
is "$(ca_log 'select(.method == "POST") | [.usage, .identity]' | sort | uniq -c | tr -s ' ')" \
	' 3 ["encryption","user:svc2@EXAMPLE.TEST"]
 3 ["signing","user:svc@EXAMPLE.TEST"]' 'each CA is asked as the right one'

# --- a person decides

use_kerberos
ca_mode pending 2
order
says '^pending [0-9]+ 0$' 'pending'
ca_log_from_here
order --again
says '^pending [0-9]+ 0$' '... still'
order --again
says '^issued' '... issued'
is "$(posts)" 0 '... and asked for by its number alone'
ca_mode pending 1 deny
order
order --again
says '^refused: .*denied' 'denied after all'
ca_mode refuse
post
is "$status" 502 'what the CA refuses'
is "$(certprov list events --json --device "$device" | jq -r '.[0].state')" failed '... is so for good'
like "$(certprov list events --json --device "$device")" "policy denies this request <'x'>" \
	'... and says why'
ca_mode
ok '... until someone tries again' certprov deliver --now

# Issued, but not to be had at first.
ca_mode later at certnew.cer
order
says '^pending [0-9]+ ' 'what is issued but cannot be fetched waits'
ca_mode
before=$(ca_certificates_issued)
order --again
says '^issued' '... and is fetched later'
is "$(ca_certificates_issued)" "$before" '... not issued again'
ca_mode refuse at certnew.cer
order
says '^pending [0-9]+ ' 'what is issued but not for us to fetch waits, too'
before=$(ca_certificates_issued)
order --again
says '^barred: .*status 403' '... until somebody sees to it'
ca_mode
order --again
says '^issued' '... and is fetched then'
is "$(ca_certificates_issued)" "$before" '... not issued again'

# A server in another language.
echo de >"$ca/state/adcs-language"
ca_mode pending 2
order
says '^pending [0-9]+ 0$' 'pending, in German'
ca_log_from_here
order --again
says '^pending [0-9]+ 0$' '... still'
order --again
says '^issued' '... issued'
is "$(posts)" 0 '... and asked for by its number alone'
ca_mode pending 1 deny
order
order --again
says '^refused: .*Fehler' '... or denied after all'
ca_mode refuse
order
says '^refused: .*Ihre Anforderung wurde abgelehnt. Ihre Kennung lautet' 'refused, in German'
rm "$ca/state/adcs-language"
ca_mode

# The same in the whole product.
use_kerberos
handler_stop
handler_start
ca_mode pending 2
ca_log_from_here
post
is "$status" 503 'an event whose certificates wait'
ca_mode later
not_ok '... while the CA is out of order' certprov deliver --now
ca_mode pending 1
ok '... is finished when they are there' certprov deliver --now
is "$(ca_log 'select(.method == "POST") | .status' | wc -l)" 2 '... without another request'
is "$(eg_log 'select(.status == 200) | .device' | grep -cFx "$device")" 1 '... and uploaded once'
ca_mode

use_kerberos template=Unknown
order
says '^refused: .*does not support this template' 'a template that the CA does not have'

# --- a KDC that takes packets and says nothing

use_kerberos timeout=3s
kdc_stop
rm -f "$root/swallows"
start swallow perl "$top_srcdir/tests/peers/swallow.pl" "$kdc_port" "$root/swallows"
ok 'a KDC that swallows what it gets' wait_for 60 test -e "$root/swallows"
handler_stop
ok '... with a handler' handler_start
ca_log_from_here
began=$EPOCHREALTIME
order
passed=$((${EPOCHREALTIME/./} - ${began/./}))
says '^unavailable 0: .*not done in time: .*KDC' 'the CA is not asked without a ticket'
ok "... and the deadline of 3 s holds ($passed us)" test "$passed" -lt 15000000
post
is "$status" 503 '... an event is answered'
is "$(ca_log .path)" '' '... the CA has had no request'
is "$(pgrep -fc -- "certprov.fcgi.* $root/certprov.sock")" "$((workers + 1))" \
	'... no process is left over'
stop swallow || true
ok '... the KDC is back' kdc_start
ok '... deliver finishes the event' certprov deliver --now
use_kerberos
handler_stop
ok '... the handler, too' handler_start

# --- no ticket

use_kerberos
cp "$krb/svc.keytab" "$krb/old.keytab"
kdc_admin ktadd -k "$krb/svc.keytab" svc
use_kerberos "keytab=$krb/old.keytab"
ca_log_from_here
before=$(grep -c 'PREAUTH_FAILED' "$krb/kdc.log") || true
order
says '^barred: .*no Kerberos ticket for svc@EXAMPLE.TEST: Preauthentication failed; ' \
	'a key of an old password'
is "$(grep -c 'PREAUTH_FAILED' "$krb/kdc.log")" $((before + 1)) '... is tried once'
is "$(ca_log .method)" '' '... and nobody else asks in its place'
use_kerberos
order
says '^issued' '... and the new one is good'

kdc_change svc2 -expire yesterday
use_kerberos "keytab=$krb/svc2.keytab"
order
says '^barred: .*has expired' 'an account that has expired'
kdc_admin delprinc -force svc2
order
says '^barred: .*not found in Kerberos database' 'an account that is gone'
use_kerberos "url=${ca_kerberos_url/localhost/127.0.0.1}"
order
says '^barred: .*HTTP/127.0.0.1.*knows no such service' 'a name that the KDC does not know'

ok 'the KDC stops' kdc_stop
use_kerberos
handler_stop
handler_start
order
says "^unavailable 0: .*Cannot contact any KDC" 'no KDC'
before=$(ca_certificates_issued)
post
is "$status" 503 'an event waits for it'
is "$(certprov list events --json --device "$device" | jq -r '.[0].state')" pending '... in the store'
ok 'the KDC is back' kdc_start
ok '... and deliver' certprov deliver --now
is "$(ca_certificates_issued)" $((before + 2)) '... gets the certificates, once'

# --- how long a ticket is good for

# tickets NAME: how many the KDC has given to it, but for those to a service
tickets()
{
	grep -c "AS_REQ.*ISSUE.*$1@" "$krb/kdc.log" || true
}

# twice NAME: two orders from one CA that stays open, and 12 seconds between them
twice()
{
	local pid

	use_kerberos "keytab=$krb/$1.keytab"
	coproc EACH {
		"$top_builddir/tests/system/ca_order" --output="$root/order" --each "$conf" \
			signing "$mail" 2>&1 || true
	}
	pid=$EACH_PID
	for what in 'an order' 'another one later'; do
		echo >&"${EACH[1]}"
		read -r -t 120 said <&"${EACH[0]}" || said=nothing
		says '^issued' "$1: $what"
		[[ $what == another* ]] || sleep 12
	done
	eval "exec ${EACH[1]}>&-"
	wait "$pid" || true
}

before=$(tickets svc)
twice svc
ok '... each request with a ticket of its own, which ends with it' \
	test "$(tickets svc)" -gt $((before + 1))
twice short # ten seconds
ok '... when that one has ended with a new one' test "$(tickets short)" -gt 1

# --- what cannot be a keytab

# wrong NAME REGEX: with the last use, in no more than words
wrong()
{
	ca_order "$conf" chain
	says "^config: $2" "$1"
}

use_kerberos "keytab=$krb/none.keytab"
wrong 'no keytab' '.*none.keytab.*No such file'
printf 'no keytab at all' >"$krb/bad.keytab"
chmod 600 "$krb/bad.keytab"
use_kerberos "keytab=$krb/bad.keytab"
wrong 'no keytab in it' '.*bad.keytab is not a keytab'
head -c 40 "$krb/svc.keytab" >"$krb/bad.keytab"
wrong 'half a keytab' '.*bad.keytab is not a keytab'
printf '\5\2' >"$krb/bad.keytab"
wrong 'an empty keytab' '.*bad.keytab has no keys'
install -m 644 "$krb/svc.keytab" "$krb/bad.keytab"
wrong 'a keytab that all can read' '.*bad.keytab'
use_kerberos principal=svc3
wrong 'a principal that it does not have' '.*svc.keytab has no key of the principal svc3'
use_kerberos principal=svc@ELSEWHERE
wrong 'nor of another realm' '.*no key of the principal svc@ELSEWHERE'
use_kerberos keytab=
wrong 'kerberos without keytab' '.*\[ca\] keytab: missing; auth = kerberos needs it'
use_kerberos username=ra
wrong 'kerberos with username' '.*:[0-9]+: \[ca\] username: auth = kerberos does not use it'
use_kerberos "password-file=$ca/ra.password"
wrong 'kerberos with password-file' '.*:[0-9]+: \[ca\] password-file: auth = kerberos does not'

# --- Basic

use_basic
ca_log_from_here
order
says '^issued' 'a password'
is "$(askers)" 'user:EXAMPLE\ra ' '... whose the CA knows'
use_basic "url=$ca_basic_url/certsrv/"
ca_order "$conf" probe
says '^ok$' 'a url with /certsrv'
ca_order "$conf" chain
says '^chain CN=Mail Issuing CA 1,.* 2$' '... and the chain from there'
use_basic "url=$ca_basic_url/elsewhere"
ca_order "$conf" probe
says '^barred: .*knows no such request' 'a path of its own is the whole'
(umask 077 && printf 'another password\n' >"$root/wrong.password")
use_basic "password-file=$root/wrong.password"
order
says '^barred: .*rejected our credentials .status 401.: check username and password-file' \
	'a wrong password'
ca_order "$conf" probe
says '^barred: .*status 401' '... which check finds, too'
use_kerberos "url=$ca_basic_url"
order
says '^barred: .*status 401.*Negotiate' 'a ticket where nobody takes one'
use_basic username=
wrong 'basic without username' '.*\[ca\] username: missing; auth = basic needs it'
use_basic password-file=
wrong 'basic without password-file' '.*\[ca\] password-file: missing; auth = basic needs it'
use_basic "keytab=$krb/svc.keytab"
wrong 'basic with keytab' '.*:[0-9]+: \[ca\] keytab: auth = basic does not use it'
use_basic principal=svc
wrong 'basic with principal' '.*:[0-9]+: \[ca\] principal: auth = basic does not use it'

# --- NTLM, with the simulated pages alone

use_ntlm()
{
	use "url=$ca_url" auth=ntlm 'username=EXAMPLE\ra' "password-file=$root/ntlm.password" "$@"
}

(umask 077 && printf 'a password\n' >"$root/ntlm.password")
if hash=$(printf 'a password' | iconv -t UTF-16LE |
	openssl dgst -md4 -provider default -provider legacy -r 2>/dev/null); then
	printf 'EXAMPLE\\ra %s\n' "${hash%% *}" >"$ca/state/ntlm"
	use_ntlm
	ca_log_from_here
	order
	says '^issued' 'NTLM'
	is "$(ca_log 'select(.status == 200) | .identity' | sort -u)" 'ntlm:EXAMPLE\ra' \
		'... accepts our credentials'
	is "$(ca_log .status | tr '\n' ' ')" '401 200 200 200 ' '... once for a connection'
	ca_order "$conf" probe
	says '^ok$' '... for check, too'
	use_ntlm 'username=EXAMPLE\rb'
	order
	says '^barred: .*status 401.*check username and password-file' 'somebody else'
	use_ntlm "password-file=$root/wrong.password"
	order
	says '^barred: .*status 401.*check username and password-file' 'a wrong password'
else
	skip 'NTLM' 'this OpenSSL has no MD4'
fi
use_ntlm "password-file=$ca/ra.password"
wrong 'a password that libcurl cannot use for NTLM' '.*ra.password.*ASCII'
use_ntlm password-file=
wrong 'ntlm without password-file' '.*\[ca\] password-file: missing; auth = ntlm needs it'

# --- the CA in the middle of a request

use_kerberos
handler_stop
handler_start
ca_log_from_here
rm -f "$ca/state/waiting"
ca_mode slow 600
before=$(ca_certificates_issued)
post &
job=$!
ok 'in the middle of a request' wait_for 60 test -e "$ca/state/waiting"
ca_apache_stop || true
ca_stop
wait "$job" || true
ca_mode
ok '... the CA is killed, and started again' ca_start
ok '... with Apache' ca_apache_start
device=$(jq -r .DeviceUUID "$root/event.json")
is "$(certprov list events --json --device "$device" | jq -r '.[0].state')" pending 'the event waits'
ok 'deliver' certprov deliver --now
is "$(ca_certificates_issued)" $((before + 2)) '... gets its certificates, once'
is "$(eg_log 'select(.status == 200) | .device' | grep -cFx "$device")" 1 '... and uploads them'
is "$(ca_log 'select(.status >= 400) | .text')" '' 'the CA has understood all of it'
done_testing

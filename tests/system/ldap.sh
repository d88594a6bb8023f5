#!/bin/bash
# Addresses and names from a directory: a real OpenLDAP server with Active Directory's attributes,
# and one that means no good.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-ldap.sh
. "$top_srcdir/tests/system/lib-ldap.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

# post NAME [CHANGE...]: an enrollment of a new device and user, whose event has another address
post()
{
	device=$(new_uuid) user=$(new_uuid)
	event_json "device=$device" "user=$user" "name=$1" mail=event@example.com "${@:2}" \
		>"$root/event.json"
	post_event "$root/event.json"
}

# answered STATUS NAME [DETAIL]
answered()
{
	is "$status" "$1" "$2"
	[[ -z ${3:-} ]] || like "$(jq -r .detail <<<"$body") $(last_cause)" "$3" '... and says why'
}

last_cause()
{
	certprov list events --device "$device" --json | jq -r '.[0].cause // ""'
}

mail_of()
{
	has "$1" 8
}

is_delivered()
{
	certprov deliver --now >>"$root/deliver.log" 2>&1 || true
	[[ $(certprov list events --device "$1" --json | jq -r '.[0].state') == delivered ]]
}

# The subject of the last upload's signing certificate.
last_subject()
{
	unpack "$(find "$eg/state/uploads" -name '*.json' | wc -l)" signing
	openssl x509 -in "$got.crt" -noout -subject -nameopt RFC2253,-esc_msb,utf8
}

workers=2
ok 'slapd runs' ldap_start
ldap_user anna mail=anna@example.com mail=anna.second@example.com displayName='Anna Ångström' \
	proxyAddresses=smtp:old@example.com proxyAddresses=SMTP:anna.primary@example.com \
	userPrincipalName=anna@corp.example.com objectGUID:=AAECAwQFBgcICQoLDA0ODw==
ldap_user berta mail=berta@example.com
odd='o(d)d*'\\
ldap_user "$odd" mail=odd@example.com
ldap_user mute displayName=Mute
ldap_user twin1 mail=twin1@example.com userPrincipalName=twin@example.com
ldap_user twin2 mail=twin2@example.com userPrincipalName=twin@example.com
ldap_configure ldap.name-attribute=displayName ldap.timeout=4s \
	'identity.mail={EnrollmentEmailAddress}'
ok 'everything else runs' world
ok 'certprov check binds and searches' certprov check

# --- what the directory knows

post anna
answered 202 'an enrollment'
is "$(mail_of "$device")" anna@example.com '... has the first address of the directory'
like "$(certprov list users --user "$user")" 'anna@example.com' '... which the store keeps'
like "$(last_subject)" 'Ångström' '... and the name of the directory'
post berta mail=
answered 202 'an event without an address, of a user without a name there'
is "$(mail_of "$device")" berta@example.com '... has that of the directory'
known=$device known_user=$user
post mute
answered 422 'a user without an address there' 'no usable mail address'

# --- who is it?

post nobody
answered 422 'a user who is not there' 'has no entry for this user'
post '*'
answered 422 'a name that matches everybody, taken literally' 'has no entry.*\\2a'
post '*)(mail=*'
answered 422 'a name that is a filter, taken literally' 'has no entry.*\\2a\\29\\28mail=\\2a'
post 'anna)(|(mail=berta@example.com)'
answered 422 'and another one' 'has no entry'
post "$odd"
answered 202 'a name with all characters of a filter'
is "$(mail_of "$device")" odd@example.com '... is found'
post ''
answered 422 'an event without the name that the filter wants' 'lacks a value'

ok 'search by another attribute' handler_with \
	'ldap.filter=(&(objectClass=inetOrgPerson)(userPrincipalName={EnrollmentEmailAddress}))'
post anna mail=twin@example.com
answered 422 'two match' 'more than one entry'
post anna mail=anna@corp.example.com
answered 202 'one matches'
ok 'the primary of proxyAddresses' handler_with \
	'ldap.filter=(sAMAccountName={EnrollmentUserName})' ldap.mail-attribute=proxyAddresses
post anna
is "$status $(mail_of "$device")" '202 anna.primary@example.com' 'it is taken'
post berta
answered 422 'a user without one' 'no usable mail address'
ok 'an attribute that is no text' handler_with ldap.mail-attribute=objectGUID
post anna
answered 422 'is refused' 'is no text'
ok 'the usual one' handler_with ldap.mail-attribute=

# --- an address that changes there

ldap_user berta mail=berta.new@example.com
event_json "device=$known" "user=$known_user" name=berta mail=berta@example.com \
	"EventTime=$(date -u +%FT%TZ)" >"$root/event.json"
post_event "$root/event.json"
is "$status $(mail_of "$known")" '202 berta.new@example.com' 'a new address in the directory counts'
ldap_user berta mail=berta.newer@example.com
certprov renew --user "$known_user" --within 400d >>"$root/deliver.log" 2>&1
is "$(mail_of "$known")" berta.newer@example.com '... when certificates are renewed, too'

# --- StartTLS, and no TLS

ok 'StartTLS' handler_with "ldap.url=ldap://127.0.0.1:$ldap_port"
post anna
answered 202 'works'
sed -e '/^ca-file = ldap-ca/d' -e 's|^url = ldap:.*|url = ldap://dc.example.com|' "$conf" \
	>"$conf.clear"
like "$(certprov -c "$conf.clear" config test 2>&1 || true)" '\[ldap\] ca-file: missing' \
	'without TLS it is asked on this machine alone'
is "$(grep -c 'bind_ssf=0 ssf=0' "$root/slapd.log" || true)" 0 'no password went in the clear'

# --- wrong certificates

for url in "ldaps://127.0.0.1:$ldaps_port" "ldap://127.0.0.1:$ldap_port"; do
	cp "$pki/eg-ca.crt" "$root/certprov/ldap-ca.pem"
	ok "another CA is trusted, $url" handler_with "ldap.url=$url"
	binds=$(ldap_binds)
	post anna
	answered 503 'the directory is not'
	is "$(ldap_binds)" "$binds" '... and gets no password'
	not_ok '... certprov check fails' certprov check
	cp "$pki/ldap-ca.crt" "$root/certprov/ldap-ca.pem"
	ok 'the right one' handler_with
	ok '... then it is finished' wait_for 60 is_delivered "$device"
done
ok 'another name than the certificate has' handler_with \
	"ldap.url=ldaps://127.0.0.2:$ldaps_port"
binds=$(ldap_binds)
post anna
is "$status $(ldap_binds)" "503 $binds" '... is not trusted'
ok 'by its name' handler_with "ldap.url=ldaps://127.0.0.1:$ldaps_port"

# --- by our certificate: SASL EXTERNAL

certificate_of()
{
	pki_client "$1" "$2" -days 365
	pki_pfx "$1" 'directory password'
	install -m 600 "$pki/$1.pfx" "$root/certprov/ldap.pfx"
}

(umask 077 && printf 'directory password\n' >"$root/certprov/ldap-pfx.password")
certificate_of ldap-client eg-ca
for url in "ldap://127.0.0.1:$ldap_port" "ldaps://127.0.0.1:$ldaps_port"; do
	ok "a client certificate, $url" handler_with "ldap.url=$url" ldap.bind-dn= \
		ldap.password-file= ldap.identity=ldap.pfx \
		ldap.identity-password-file=ldap-pfx.password
	post anna
	is "$status $(mail_of "$device")" '202 anna@example.com' '... is enough'
	ok '... for certprov check, too' certprov check
done
like "$(grep -c 'mech=EXTERNAL' "$root/slapd.log")" '^[1-9]' '(it was SASL EXTERNAL)'
pki_ca ldap-other-ca
certificate_of ldap-other ldap-other-ca
ok 'one of another CA' handler_with
post anna
answered 503 '... is not let in'
certificate_of ldap-client eg-ca
ok 'the right one' handler_with
ok '... then it is finished' wait_for 60 is_delivered "$device"
ok 'by password' handler_with ldap.identity= ldap.identity-password-file= \
	"ldap.bind-dn=$ldap_account" ldap.password-file=ldap.password

# --- down, slow

ldap_stop
post anna
answered 503 'the directory is down: put off'
like "$(header Retry-After)" '^[0-9]+$' '... with Retry-After'
not_ok '... certprov check fails' certprov check
ok 'it is back' ldap_start
ok '... and what was put off is finished' wait_for 60 is_delivered "$device"
is "$(mail_of "$device")" anna@example.com '... with its address'
kill -STOP "${pids[slapd]}"
began=$SECONDS
post anna
answered 503 'the directory hangs: put off' 'in time'
ok '... within its timeout' test $((SECONDS - began)) -lt 15
slow=$device
post anna
post anna
post anna
answered 503 'after some of these'  'not tried'
kill -CONT "${pids[slapd]}"
ok 'it goes on: all is finished' wait_for 120 is_delivered "$device"
ok '... the first one, too' wait_for 60 is_delivered "$slow"

# --- a base that is not there

ok 'another base' handler_with ldap.base=ou=elsewhere,dc=example,dc=com
post anna
answered 503 'it is put off' 'check base'
ok 'the right one' handler_with "ldap.base=$ldap_base"

# --- a wrong password

(umask 077 && printf 'another password\n' >"$root/certprov/ldap.password")
ok 'a wrong password' handler_with
binds=$(ldap_binds)
post anna
answered 503 'is tried once' 'credentials'
post anna
certprov deliver >>"$root/deliver.log" 2>&1 || true
is "$(ldap_binds)" $((binds + 1)) '... and not again, by nobody'
like "$(certprov status 2>&1 || true)" 'the directory has processed no request' \
	'... certprov status says so'
(umask 077 && printf '%s\n' "$ldap_password" >"$root/certprov/ldap.password")
handler_renew
ok 'with the right one all is finished' wait_for 60 is_delivered "$device"

# --- with UEM, the name is not the event's

ok 'UEM runs' uem_start
anna=$(new_uuid) phone=$(new_uuid)
uem_user "$anna" anna anna@uem.example.com
uem_device "$phone" "$anna"
uem_configure
ok 'it is asked first' handler_with
event_json "device=$phone" "user=$anna" name=berta mail= >"$root/event.json"
post_event "$root/event.json"
is "$status $(mail_of "$phone")" '202 anna@example.com' \
	'an event with the name of another user: the directory is asked for the name that UEM has'
ok 'a template with a value of UEM' handler_with 'ldap.filter=(sAMAccountName={uem.userName})'
post_event "$root/event.json"
is "$status $(mail_of "$phone")" '202 anna@example.com' '... works'
event_json "device=$phone" "user=$anna" name=berta mail=berta@example.com >"$root/event.json"
post_event "$root/event.json"
is "$status" 403 'an address that UEM refutes is refused all the same'
ok 'without UEM' handler_with uem.url= uem.token-url= uem.client-id= uem.client-secret-file= \
	uem.tenant-code-file= uem.ca-file= 'ldap.filter=(sAMAccountName={EnrollmentUserName})'

# --- a hostile directory, on this machine, without TLS and without an account

hostile_port=$(free_port)
start hostile-ldap perl "$top_srcdir/tests/peers/hostile-ldap.pl" "$hostile_port" "$root/hostile"
ok 'another directory' handler_with "ldap.url=ldap://127.0.0.1:$hostile_port" ldap.ca-file= \
	ldap.bind-dn= ldap.password-file= ldap.timeout=2s
for mode in huge claim references drip garbage cut hang other; do
	printf '%s\n' "$mode" >"$root/hostile"
	handler_renew # its breaker is closed
	began=$SECONDS
	post anna
	answered 503 "$mode: put off"
	ok '... in time' test $((SECONDS - began)) -lt 12
done
for mode in binary long; do
	printf '%s\n' "$mode" >"$root/hostile"
	post anna
	answered 422 "$mode: refused"
done
is "$(pgrep -cP "$(pgrep -P "${pids[handler]}" | paste -sd,)" || true)" 0 'no process is left'
not_ok 'no password is in a log' grep -rqF "$ldap_password" "$root"/handler.log "$root/answers"

done_testing

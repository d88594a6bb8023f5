#!/bin/bash
# The whole job with a simulated Vault, and what is Vault's own: its three ways to a token, tokens
# that end or are revoked, namespaces, a Vault that is sealed.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"

state=$ca/state
mail=ann.person@example.com
sign=/v1/mail/pki/sign/user%40smime

# says REGEX NAME: about a new order
order_says()
{
	ca_order "$conf" signing "$mail"
	like "$said" "$1" "$2"
}

# each REGEX NAME: about the next order from a CA that stays open
each()
{
	echo >&"${EACH[1]}"
	read -r -t 120 said <&"${EACH[0]}" || said=nothing
	like "$said" "$1" "$2"
}

each_begin()
{
	ca_log_from_here
	coproc EACH {
		"$top_builddir/tests/system/ca_order" --output="$root/order" --each "$conf" \
			signing "$mail" 2>&1 || true
	}
	open_pid=$EACH_PID
}

each_end()
{
	eval "exec ${EACH[1]}>&-"
	wait "$open_pid" || true
}

logins()
{
	ca_log 'select(.path | startswith("/v1/auth/")) | select(.status == 200) | .identity' |
		tr '\n' ' '
}

signs()
{
	ca_log 'select(.path == "'"$sign"'") | .status' | tr '\n' ' '
}

# token NAME MILLISECONDS: one that is good until then (0: for ever)
token()
{
	printf '%s file\n' "$2" >"$state/vault-tokens/$1"
}

put_token()
{
	(umask 077 && printf '%s\n' "$1" >"$root/token.new")
	mv "$root/token.new" "$root/token"
}

# by WAY [KEY=VALUE...]: one of the three
by()
{
	configure ca.role-id= ca.secret-id-file= ca.token-file= ca.identity= \
		ca.identity-password-file= "$@"
}

by_role()
{
	by ca.role-id=certprov "ca.secret-id-file=$ca/secret-id"
}

ok 'the authority starts' ca_start
mapfile -t words < <(ca_settings vault)
ok 'everything starts' world certificates.key=ec-p256 ca.timeout=60s "${words[@]}"

# --- the job

post_event "$sample_event"
is "$status" 202 'an event is answered by 202'
is "$(eg_log 'select(.upload != "") | [.signing, .encryption]')" '[1,1]' '... the gateway has both'
is "$(ca_certificates_issued)" 2 '... of two certificates'
is "$(logins)" 'login:approle ' '... for one login'
ok 'certprov check' certprov check
serial=$(certprov list certificates --json | jq -r '.[0].serial')
ok 'certprov revoke' certprov revoke --serial "$serial"
like "$(ca_revoked "$serial")" "^$serial " '... revokes there'

ca_log_from_here
printf '503 Vault is sealed\n' >"$state/vault-status"
event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event.json"
post_event "$root/event.json"
is "$status" 503 'sealed: 503'
not_ok '... which certprov check finds' certprov check
like "$(<"$root/output")" 'Vault is sealed' '... and says'
rm "$state/vault-status"
ok '... unsealed, certprov deliver' certprov deliver --now
is "$(eg_upload_count)" 2 '... finishes it'
is "$(ca_certificates_issued)" 4 '... with two more'

event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event.json"
rm -f "$state/waiting"
ca_mode slow 600
(answer=$root/killed; post_event "$root/event.json"; printf '%s' "$status" >"$root/killed.status") &
job=$!
ok 'in the middle of a request' wait_for 60 test -e "$state/waiting"
ca_stop
wait "$job" || true
is "$(<"$root/killed.status")" 503 '... it is killed: 503'
ca_mode
ok '... and comes back' ca_start
ok '... certprov deliver' certprov deliver --now
is "$(eg_upload_count) $(ca_certificates_issued)" '3 6' '... finishes it, once'

# --- not let in: what it may have issued already is asked for with the same key

event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event.json"
ca_log_from_here
ca_mode truncated
post_event "$root/event.json"
is "$status" 503 'an answer is lost: 503'
ca_mode
printf 'wrong\n' >"$ca/secret-id"
code=0
certprov deliver --now >"$root/output" 2>&1 || code=$?
is "$code" 75 '... then the secret is another there: exit 75'
printf 's3cret-id\n' >"$ca/secret-id"
ok '... and here, too: certprov deliver' certprov deliver --now
is "$(ca_log 'select(.usage == "signing") | .key' | sort -u | wc -l)" 1 '... with the same key'

# --- other addresses

mail=jürgen@example.com
order_says '^issued' 'a local part that is not ASCII'
mail=ann.person@example.com

# --- logins

each_begin
each '^issued' 'an open CA'
each '^issued' '... again'
is "$(logins)" 'login:approle ' '... logs in once'
rm "$state"/vault-tokens/*
each '^issued' '... anew when its token was revoked'
is "$(logins)$(signs)" 'login:approle login:approle 200 200 403 200 ' '... once'
each_end

echo 2 3600 >"$state/vault-lease" # else a slow machine would see it end
each_begin
each '^issued' 'a token for two seconds'
sleep 1.5
each '^issued' '... is replaced before they are over'
is "$(logins)$(signs)" 'login:approle login:approle 200 200 ' '... and not refused'
each_end
echo 0 >"$state/vault-lease"
each_begin
each '^issued' 'a token for ever'
each '^issued' '... is kept'
is "$(logins)" 'login:approle ' '... and kept'
each_end
rm "$state/vault-lease"

echo '["deny"]' >"$state/vault-policy"
ca_log_from_here
order_says '^barred: .*rejected our credentials.*permission denied' 'a policy that does not allow it'
is "$(logins)$(signs)" 'login:approle 403 ' '... is asked once with a fresh token'
ca_order "$conf" probe
like "$said" '^refused: .*none of its policies has the capability update on mail/pki/sign/user@smime$' \
	'... and named by the doctor'
rm "$state/vault-policy"

each_begin
printf 'wrong\n' >"$ca/secret-id"
each '^barred: login: .*invalid role or secret ID' 'a wrong secret'
printf 's3cret-id\n' >"$ca/secret-id"
each '^issued' '... that is corrected'
each_end
chmod 644 "$ca/secret-id"
order_says '^config: .*secret-id' 'a secret that all can read'
chmod 600 "$ca/secret-id"

# --- a file with a token

put_token hvs.first
token hvs.first 0
by "ca.token-file=$root/token"
each_begin
each '^issued' 'a token in a file'
token hvs.first 1
each '^barred: .*permission denied' '... that has ended'
token hvs.second 0
put_token hvs.second
each '^issued' '... and was replaced'
is "$(logins)$(signs)" '200 403 200 ' '... without a login'
each_end
is "$(ca_log 'select(.status == 200 and .path == "'"$sign"'") | .identity' | sort -u)" token:file '... by its own'
put_token $'hvs.a b'
order_says '^config: .*token: its first line is not a token' 'no token'
chmod 644 "$root/token"
order_says '^config: .*token' 'a token that all can read'
rm "$root/token"
order_says '^config: .*token' 'no file'

# --- a TLS certificate

by "ca.identity=$pki/ra.pfx" "ca.identity-password-file=$ca/pfx.password"
ca_log_from_here
order_says '^issued' 'by a TLS certificate'
is "$(logins)" 'login:cert ' '... which is what it logs in with'
by "ca.identity=${settings[escrow.identity]}" \
	"ca.identity-password-file=${settings[escrow.identity-password-file]}"
order_says '^barred: login: .*status 400' "... another CA's is not taken"
by_role

# --- namespaces, standbys

echo team/a >"$state/vault-namespace"
order_says '^barred: .*no such namespace' 'without a namespace'
configure ca.namespace=team/a
order_says '^issued' '... with it'
ca_order "$conf" chain
like "$said" '^chain CN=Mail Issuing CA 1,.* 2$' '... the chain, too'
configure ca.namespace=
rm "$state/vault-namespace"

for code in 412 429 472 473 474 500 503; do
	echo "$code standby" >"$state/vault-status"
	order_says "^unavailable 0: .*status $code\\); it says: standby" "status $code"
done
for code in 307 400 401 403 404 405; do
	echo "$code no" >"$state/vault-status"
	order_says "^barred: .*status $code\\); it says: no" "status $code"
done
handler_stop
ok 'a handler of this configuration' handler_start
echo '307 standby' >"$state/vault-status"
event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/standby.json"
post_event "$root/standby.json"
is "$status" 503 'an event while a standby redirects: 503'
is "$(certprov list events --json --state pending | jq length)" 1 '... it is pending'
is "$(certprov status --json | jq .cas_barred)" 1 '... and somebody is needed'
rm "$state/vault-status"
ok '... deliver --now finishes it' certprov deliver --now
is "$(certprov status --json | jq .cas_barred)" 0 '... nobody is needed'
configure ca.role=other
order_says '^barred: .*unsupported path' 'another role'
configure ca.role=user@smime

# --- what the configuration may say

# wrong REGEX NAME: with the file, and the line if there is one
wrong()
{
	ca_order "$conf" probe
	like "$said" "^config: $conf(:[0-9]+)?: \\[ca\\] $1" "$2"
}

by
wrong 'token-file: missing' 'no way to log in'
by_role
configure ca.token-file=/nowhere
wrong 'role-id: one way' 'two ways'
by ca.token-file=/nowhere "ca.identity=$pki/ra.pfx"
wrong 'identity: one way' 'two others'
by ca.role-id=certprov
wrong 'secret-id-file: missing' 'a role without its secret'
by_role
for mount in / /pki pki/ pki//mail ../pki pki/./mail; do
	configure "ca.mount=$mount"
	wrong 'mount: ' "mount $mount"
done
configure ca.mount=mail/pki
for role in smime/sign . ..; do
	configure "ca.role=$role"
	wrong 'role: ' "role $role"
done
configure ca.role=user@smime

# --- a CA that ends before a certificate would

by_role
configure certificates.validity=365d
pki_leaf ca-short ca-root -days 100 -subj '/C=DE/O=Example, Inc./CN=Mail Issuing CA 1' \
	-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
cp "$ca/issuers/issuing.crt" "$root/issuing.crt"
cp "$ca/issuers/issuing.key" "$root/issuing.key"
cp "$pki/ca-short.crt" "$ca/issuers/issuing.crt"
cp "$pki/ca-short.key" "$ca/issuers/issuing.key"
ca_log_from_here
order_says '^issued' 'a CA that ends in 100 days: a shorter certificate'
is "$(signs)" '200 ' '... asked for at once'
like "$(certprov check 2>&1)" 'WARN.*CA certificate.*ends 20.*certificates are shorter' '... check warns'
cp "$root/issuing.crt" "$ca/issuers/issuing.crt"
cp "$root/issuing.key" "$ca/issuers/issuing.key"
unlike "$(certprov check 2>&1)" 'certificates are shorter' '... not of one that lasts'
echo 8640000 >"$state/vault-end"
ca_log_from_here
order_says '^issued' "... the role's own issuer ends first, which nobody tells before"
is "$(signs)" '400 200 ' '... asked for once more, by what the refusal says'
each_begin
each '^issued' '... an open CA'
each '^issued' '... again'
each_end
is "$(signs)" '400 200 200 ' '... remembers it'
echo 30 >"$state/vault-end"
order_says '^barred: .*expiration of the CA certificate' '... at its very end nothing is issued'
rm "$state/vault-end"

# --- secrets

is "$(ca_log 'select(.status == 500 and .text != "standby")')" '' 'the simulator has not failed'
not_ok 'no secret is in a log' grep -rFl -e s3cret-id -e hvs. "$root"/*.log "$root/output" \
	"$root/answers" "$state/log"
done_testing

#!/bin/bash
# The simulated certificate authority itself, by curl and openssl: what it takes, what it refuses,
# and that it does wrong when told to. The other tests rely on it.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"

est=/.well-known/est
signing=critical,digitalSignature
client=(--user 'ra:pass:wörd')
type=application/pkcs10

# csr NAME [LINE...]: $root/NAME.csr, with those extensions or the right ones for signing
csr()
{
	local name=$1
	local -a lines=("${@:2}")

	((${#lines[@]})) || lines=(subjectAltName=email:ann@example.com "keyUsage=$signing"
		extendedKeyUsage=emailProtection)
	[[ -e $root/$name.key ]] || openssl genpkey -algorithm EC -pkeyopt \
		ec_paramgen_curve:P-256 -out "$root/$name.key" 2>/dev/null
	openssl req -new -config "$pki/openssl.cnf" -key "$root/$name.key" -subj /O=Example/CN=Ann \
		"${lines[@]/#/-addext=}" -outform DER -out "$root/$name.csr"
}

# ask PATH [CURL-OPTIONS...]: $status; the answer in $answer.headers, $answer.body
ask()
{
	: >"$answer.body"
	status=$(curl --silent --max-time 60 --cacert "$ca/issuers/tls.crt" \
		--output "$answer.body" --dump-header "$answer.headers" --write-out '%{http_code}' \
		"${@:2}" "$ca_url$1") || status="$status, curl $?"
}

# simple_enroll NAME [CURL-OPTIONS...]
simple_enroll()
{
	openssl base64 -in "$root/$1.csr" -out "$root/$1.b64"
	ask "$est/simpleenroll" "${client[@]}" --header "Content-Type: $type" \
		--data-binary "@$root/$1.b64" "${@:2}"
}

# The answer's certificates, PEM.
certificates()
{
	openssl base64 -d -in "$answer.body" |
		openssl pkcs7 -inform DER -print_certs | sed -n '/BEGIN/,/END/p'
}

leaf()
{
	certificates >"$root/leaf.pem"
	openssl x509 -in "$root/leaf.pem" -noout "$@"
}

verifies()
{
	openssl verify -purpose "$1" -CAfile "$ca/issuers/root.crt" \
		-untrusted "$ca/issuers/issuing.crt" "$root/leaf.pem"
}

text()
{
	tr -d '\r\n' <"$answer.body"
}

# no_certificate EXTENSIONS... -- REGEX: such a request is refused
no_certificate()
{
	local -a lines=()

	while [[ $1 != -- ]]; do
		lines+=("$1")
		shift
	done
	csr wrong "${lines[@]}"
	simple_enroll wrong
	like "$status $(text)" "^400 $2" "... refused: $2"
}

ok 'it starts' ca_start

# --- EST: what is right

ask "$est/cacerts"
is "$status" 200 'cacerts, for anybody'
is "$(certificates | openssl storeutl -certs -noout -text /dev/stdin | grep -c Subject:)" 2 \
	'... has two certificates'
csr ann
simple_enroll ann
is "$status" 200 'simpleenroll'
like "$(header Content-Type)" '^application/pkcs7-mime; smime-type=certs-only$' '... has its type'
leaf -ext subjectAltName,keyUsage,extendedKeyUsage >"$root/extensions"
like "$(tr -d '\n' <"$root/extensions")" 'email:ann@example\.com.*Digital Signature.*E-mail Protection$' \
	'... with what was asked for'
ok '... below the root' verifies smimesign
is "$(leaf -pubkey)" "$(openssl pkey -in "$root/ann.key" -pubout)" '... for that key'
is "$(ca_certificates_issued)" 1 '... and it is the only one'
is "$(ca_log 'select(.serial != "") | [.method, .identity, .usage, .mail, .text]')" \
	'["POST","basic:ra","signing","ann@example.com","issued"]' '... in the log'
is "$(ca_log 'select(.serial != "") | .key')" \
	"$(openssl pkey -in "$root/ann.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)" \
	'... with the key'
serial=$(ca_log '.serial | select(. != "")')
ok '... and is kept' cmp <(openssl x509 -in "$(ca_issued "$serial")") <(openssl x509 -in "$root/leaf.pem")

csr bea subjectAltName=email:bea@example.com keyUsage=critical,keyAgreement \
	extendedKeyUsage=emailProtection
client=(--cert "$pki/ra.crt" --key "$pki/ra.key")
simple_enroll bea
is "$status" 200 'for encryption, by a client certificate'
leaf
ok '... below the root' verifies any # openssl knows encryption by RSA alone
like "$(ca_log '.identity' | tail -n 1)" '^certificate:CN=ra,O=Example$' '... in the log'
client=(--user 'ra:pass:wörd')

# --- what is wrong

right=(subjectAltName=email:ann@example.com "keyUsage=$signing" extendedKeyUsage=emailProtection)
no_certificate "${right[@]:1}" -- 'extensions: 2\.5\.29\.17 is missing'
no_certificate subjectAltName=email:a@example.com,email:b@example.com "${right[@]:1}" -- \
	'subjectAltName: more than one name'
no_certificate subjectAltName=DNS:example.com "${right[@]:1}" -- 'subjectAltName: not a mail address'
no_certificate "${right[0]}" "${right[2]}" -- 'extensions: 2\.5\.29\.15 is missing'
no_certificate "${right[0]}" keyUsage=digitalSignature,keyAgreement "${right[2]}" -- \
	'keyUsage: neither signing nor encryption'
no_certificate "${right[@]:0:2}" extendedKeyUsage=clientAuth -- 'extendedKeyUsage: not emailProtection'
no_certificate "${right[@]:0:2}" extendedKeyUsage=emailProtection,clientAuth -- \
	'extendedKeyUsage: more than emailProtection'
no_certificate "${right[@]}" basicConstraints=CA:TRUE -- 'extensions: 2\.5\.29\.19 is not wanted'
size=$(wc -c <"$root/ann.csr")
printf 'x' | dd of="$root/ann.csr" bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
simple_enroll ann
like "$status $(text)" '^400 request: ' 'another signature'
csr ann
printf 'x' >>"$root/ann.csr"
simple_enroll ann
like "$status $(text)" '^400 request: ' 'more than a request'
csr ann
type=application/octet-stream simple_enroll ann
like "$status" '^415$' 'another type'
ask "$est/simpleenroll" "${client[@]}" --header 'Content-Type: application/pkcs10' \
	--data-binary "@$root/ann.csr"
is "$status" 400 'DER'
ask "$est/simpleenroll" "${client[@]}" --header 'Content-Type: application/pkcs10' \
	--data-binary "$(openssl base64 -A -in "$root/ann.csr")"
is "$status" 400 'base64 in one line'
client=(--user ra:wrong)
simple_enroll ann
is "$status $(header WWW-Authenticate)" '401 Basic realm="estrealm", charset="UTF-8"' 'a wrong password'
client=()
simple_enroll ann
is "$status" 401 'no password'
client=(--cert "$pki/identity.crt" --key "$pki/identity.key")
simple_enroll ann
is "$status" 400 'a client certificate of another CA'
client=(--user 'ra:pass:wörd')
ask "$est/simpleenroll" "${client[@]}"
is "$status $(header Allow)" '405 POST' 'GET'
ask "$est/nothing" "${client[@]}"
is "$status" 404 'no such operation'
is "$(ca_certificates_issued)" 2 'nobody got a certificate'

# --- what it is told

is "$(ca_log 'select(.status == 500)')" '' 'the simulator has not failed'
ca_mode refuse
simple_enroll ann
is "$status $(text)" '400 the policy denies this request' refuse
ca_mode later 9
simple_enroll ann
is "$status $(header Retry-After)" '503 9' later
ca_mode 'hang 1'
simple_enroll ann
is "$status" '000, curl 52' hang
ca_mode redirect
simple_enroll ann
is "$status $(header Location)" "307 $ca_url$est/simpleenroll?redirected=1" redirect
is "$(ca_certificates_issued)" 2 '... none of them gave a certificate'
simple_enroll ann --location
is "$status $(ca_log .query | tail -n 1)" '200 redirected=1' '... unless one follows'
for mode in garbage empty; do
	ca_mode "$mode"
	simple_enroll ann
	is "$status" 200 "$mode"
	not_ok '... is no PKCS#7' certificates
done
is "$(wc -c <"$answer.body")" 0 '... and empty is empty'
ca_mode oversized 2
simple_enroll ann
is "$status $(wc -c <"$answer.body")" "200 $((2 * 1024 * 1024))" oversized
ca_mode truncated
simple_enroll ann
is "$status" '200, curl 18' truncated
ca_mode slow 1
simple_enroll ann
is "$status" 200 slow

ca_mode pending 2 deny
csr carl
before=$(ca_certificates_issued)
for want in '202 3' '202 3' '400 '; do
	simple_enroll carl
	is "$status $(header Retry-After)" "$want" "pending, then denied: $want"
done
ca_mode pending 1
csr dora
simple_enroll dora
is "$status" 202 'pending'
csr emil
simple_enroll emil
is "$status" 202 '... another one, too'
simple_enroll dora
is "$status" 200 '... then issued'
ca_mode pending forever
simple_enroll emil
is "$status" 202 '... for ever'
ca_mode ok
simple_enroll emil
is "$status" 200 '... unless it is approved'
is "$(ca_certificates_issued)" $((before + 2)) '... each once'
is "$(ca_log 'select(.text == "pending") | .request' | sort -n | uniq -c | tr -s ' \n' ' ')" \
	' 2 9 1 10 2 11 ' '... as the log has it'

# wrong MODE REGEX X509-OPTIONS...: what the certificate is then
wrong()
{
	ca_mode "$1"
	simple_enroll ann
	like "$(leaf "${@:3}" 2>&1 | tr -d '\n')" "$2" "$1"
}

wrong wrong-address 'email:somebody\.else@example\.com' -ext subjectAltName
wrong no-email-protection 'Usage: *TLS Web Client Authentication$' -ext extendedKeyUsage
wrong wrong-usage 'Usage: critical *Key Agreement$' -ext keyUsage
wrong is-ca 'CA:TRUE' -ext basicConstraints
wrong too-long 'will not expire' -checkend $((400 * 24 * 3600))
wrong not-yet-valid "$(date -u -d '2 days' +%Y)" -startdate
not_ok '... it is not valid yet' verifies smimesign
wrong wrong-key 'BEGIN' -pubkey
isnt "$(leaf -pubkey)" "$(openssl pkey -in "$root/ann.key" -pubout)" '... another key'
wrong broken-chain 'CN *= *Mail Issuing CA 1' -issuer
not_ok '... does not verify' verifies any
wrong foreign-issuer 'CN *= *Foreign Issuing CA' -issuer
not_ok '... does not verify' verifies any
ask "$est/cacerts"
like "$(certificates | openssl x509 -noout -subject)" 'Foreign Issuing' '... and has its chain'
ca_mode wrong-order
ask "$est/cacerts"
like "$(certificates | openssl x509 -noout -subject)" 'Mail Root CA' wrong-order
ca_mode later at /cacerts
ask "$est/cacerts"
is "$status" 503 'one path alone'
simple_enroll ann
is "$status" 200 '... the others not'
ca_mode nonsense
simple_enroll ann
is "$status" 500 'an unknown mode'
ca_mode
ok 'it starts again' ca_restart
simple_enroll ann
is "$status" 200 '... and works'
done_testing

#!/bin/bash
# Client certificates that the Escrow Gateway rejects or that nobody could use, and gateways that we
# must not trust: the event is kept, and the handler's log and certprov check name the cause and
# what to do.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

workers=1
service=$root/certprov # where its files are

pin()
{
	printf 'sha256//%s' "$(openssl x509 -in "$pki/$1.crt" -noout -pubkey |
		openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)"
}

# install NAME [EXPORT-OPTIONS...]: makes $pki/NAME.crt and .key our client identity
install()
{
	pki_pfx "$1" 'identity password' "${@:2}"
	cp "$pki/$1.pfx" "$service/certificate.pfx"
	chmod 600 "$service/certificate.pfx"
}

ok 'everything starts' world certificates.key=ec-p256

# --- our client certificate is not listed there

eg_unlist
post_new
failed 502 "register our client certificate at the gateway: its thumbprint is SHA-256 $(thumbprint identity)" \
	'a client certificate that is not listed'
check_fails 'Escrow Gateway' "register our .* SHA-256 $(thumbprint identity), SHA-1 $(thumbprint identity sha1)"
like "$(<"$root/output")" "ok +our client certificate: .* SHA-1 $(thumbprint identity sha1) SHA-256 $(thumbprint identity)" \
	'... and shows it by itself'
eg_list identity
post_event "$root/event.json"
answered 202 '... listed'

pki_client another eg-ca
install another
ok 'another client certificate' handler_with
post_new
failed 502 "thumbprint is SHA-256 $(thumbprint another)" '... is not listed either'

# --- it has expired

in_past pki_client expired eg-ca
eg_list expired
install expired
ok 'an expired client certificate' handler_with
post_new
failed 502 'does not accept our client certificate, which expired on 20[^ ]*Z: renew it \(status 403\)' \
	'... is refused'
check_fails 'our client certificate' 'CN=expired.* ended 20[^ ]*Z: replace it'

# --- a gateway whose nginx goes by a CA

install identity
eg_stop
pki_ca other-ca
eg_edit="s|ssl_verify_client .*;|ssl_verify_client on; ssl_client_certificate $pki/other-ca.crt;|
	/error_page 495/d" eg_start
ok 'a gateway of another CA' handler_with
post_new
failed 502 'does not accept our client certificate \(status 400\); register' '... refuses our certificate'
check_fails 'Escrow Gateway' 'does not accept our client certificate \(status 400\); register'
eg_stop

pki_ca sub-ca -CA "$pki/eg-ca.crt" -CAkey "$pki/eg-ca.key"
pki_client under sub-ca
eg_list under
install under
eg_edit="s|ssl_verify_client .*;|ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate $pki/eg-ca.crt;|
	/error_page 495/d" eg_start
ok 'a client certificate without its intermediate' handler_with
post_new
failed 502 'the certificate of CN=Test CA sub-ca,O=Example is not in its file: .* export it with the whole chain' \
	'... is refused'
check_fails 'Escrow Gateway' 'CN=Test CA sub-ca,O=Example is not in its file'
install under -certfile "$pki/sub-ca.crt"
ok '... with it' handler_with
post_event "$root/event.json"
answered 202 '... is taken'
install identity
eg_stop
eg_start

# --- client certificates that cannot be used

identity='our client certificate|Escrow Gateway'
certtool --to-p12 --p12-name x --password 'identity password' --outder \
	--load-privkey "$pki/another.key" --load-certificate "$pki/identity.crt" \
	--outfile "$service/certificate.pfx" 2>/dev/null
unusable "($identity)" 'certificate\.pfx has no certificate that belongs to its private key; export both together' \
	"another certificate's key in the file"
install identity
ok '(fixed)' handler_with
echo 'wrong password' >"$service/certificate.password"
unusable "($identity)" 'certificate\.pfx: the password in [^ ]*certificate\.password is wrong for it' \
	'a wrong password'
echo 'identity password' >"$service/certificate.password"
ok '(fixed)' handler_with
unusable "($identity)" 'certificate\.pfx has a password; name the file that holds it \(identity-password-file\)' \
	'no password' escrow.identity-password-file=
ok '(fixed)' handler_with escrow.identity-password-file=certificate.password
for file in certificate.pfx certificate.password p12.password ca.key store.key; do
	case $file in
	p12.password) what='PKCS#12 password' ;;
	ca.key) what=CA ;;
	store.key) what=store ;;
	*) what="($identity)" ;;
	esac
	chmod 644 "$service/$file"
	unusable "$what" "$file has mode 0644; a secret must not be open to others: chmod 0600 or 0640" \
		"$file that others can read"
	chmod 600 "$service/$file"
	ok '(fixed)' handler_with
done
cp "$pki/identity.crt" "$service/certificate.pfx"
unusable "($identity)" 'certificate\.pfx is not a PKCS#12 file.*openssl pkcs12' 'PEM in its place'
install identity

# --- the gateway is not who we think it is: 503, pending

cp "$pki/other-ca.crt" "$service/other-ca.pem"
ok 'a wrong CA file' handler_with escrow.ca-file=other-ca.pem
post_new
failed 503 "https://localhost:$eg_port: the server's certificate has an issuer that we do not trust; .*ca-file" \
	'... the gateway is not trusted'
like "$body" 'not set up correctly; its log says where' '... and the answer says whose fault it is'
check_fails 'Escrow Gateway' "has an issuer that we do not trust; if it is the right server, add its issuer's certificate to ca-file"
configure escrow.ca-file=eg-ca.pem

ok 'a wrong pin' handler_with escrow.pinned-key="$(pin front)"
post_new
failed 503 "the server's key is not the pinned one but $(pin eg-server | sed 's/[+]/[+]/g'); ask its administrator" \
	'... the gateway is not trusted'
check_fails 'Escrow Gateway' "not the pinned one but .*; ask its administrator"
ok 'the right pin' handler_with escrow.pinned-key="$(pin eg-server)"
post_event "$root/event.json"
answered 202 '... is trusted'
configure escrow.pinned-key=

in_past pki_server eg-expired eg-ca localhost
eg_stop
eg_start eg-expired
ok "an expired gateway's certificate" handler_with
post_new
failed 503 "the server's certificate .* has expired; it must be renewed there" '... is not trusted'
check_fails 'Escrow Gateway' 'has expired; it must be renewed there'

pki_server eg-other eg-ca other.example
eg_stop
eg_start eg-other
post_new
failed 503 "the server's certificate is for another name; give in url the name" \
	"another name in the gateway's certificate"
check_fails 'Escrow Gateway' 'is for another name; give in url'
eg_stop
eg_start

ok 'a port that does not speak TLS' handler_with escrow.url="https://localhost:$front_http_port"
post_new
failed 503 'no TLS connection .*is it the right port' '... is none'
check_fails 'Escrow Gateway' 'is it the right port'
# --- what nobody may read

not_ok 'no secret in an answer or a log' told_secrets
done_testing

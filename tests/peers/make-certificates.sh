#!/bin/sh
# Makes in the folder $1 the certificates, keys and identities that the tests
# of lib/net and lib/escrow play with. Needs openssl and certtool.
set -eu
umask 077
cd "$1"

# key NAME
key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
}

# certificate NAME ISSUER LINE...: signs NAME.key's certificate; the lines are certtool's template
certificate() {
	name=$1
	issuer=$2
	shift 2
	printf '%s\n' "cn = $name" "$@" > "$name.tmpl"
	key "$name"
	if [ "$name" = "$issuer" ]; then
		certtool --generate-self-signed --load-privkey "$name.key" \
			--template "$name.tmpl" --outfile "$name.pem"
	else
		certtool --generate-certificate --load-privkey "$name.key" \
			--load-ca-certificate "$issuer.pem" --load-ca-privkey "$issuer.key" \
			--template "$name.tmpl" --outfile "$name.pem"
	fi 2>certtool.log || { cat certtool.log >&2; exit 1; }
}

valid="expiration_days = 30"
past='activation_date = "2020-01-01 00:00:00"
expiration_date = "2021-01-01 00:00:00"'
later='activation_date = "2090-01-01 00:00:00"
expiration_date = "2091-01-01 00:00:00"'
here="dns_name = localhost
ip_address = 127.0.0.1
tls_www_server
signing_key"
client="tls_www_client
signing_key"

certificate ca ca "$valid" ca cert_signing_key
certificate other-ca other-ca "$valid" ca cert_signing_key
certificate server ca "$valid" "$here"
certificate server-elsewhere ca "$valid" "dns_name = eg.example.com" tls_www_server signing_key
certificate server-expired ca "$past" "$here"
certificate server-later ca "$later" "$here"
certificate server-self server-self "$valid" "$here"
certificate client-sub-ca ca "$valid" ca cert_signing_key
certificate client client-sub-ca "$valid" "$client"
certificate client-expired ca "$past" "$client"
certificate client-other other-ca "$valid" "$client"

# identity NAME OUTPUT PASSWORD OPTION...
identity() {
	name=$1
	output=$2
	password=$3
	shift 3
	openssl pkcs12 -export -inkey "$name.key" -in "$name.pem" -out "$output" \
		-passout "pass:$password" "$@"
}

printf 'opensesame\n' > password
printf 'wrong\n' > password-wrong
printf 'grüße €\n' > password-utf8
printf 'gr\374\337e\n' > password-latin1
identity client client.p12 opensesame -certfile client-sub-ca.pem
identity client-expired client-expired.p12 opensesame
identity client-other client-other.p12 opensesame

# What people get from their tools: each of these must open.
identity client legacy.p12 opensesame -legacy
identity client utf8.p12 'grüße €'
identity client no-mac.p12 opensesame -nomac
identity client empty.p12 ''
identity client plain.p12 '' -keypbe NONE -certpbe NONE -nomac
openssl genpkey -algorithm RSA -out client-rsa.key 2>/dev/null
openssl req -x509 -key client-rsa.key -subj /CN=client-rsa -days 30 -out client-rsa.pem
identity client-rsa rsa.p12 opensesame

# gnutls OUTPUT KEY CERTIFICATE OPTION...
gnutls() {
	output=$1
	key=$2
	cert=$3
	shift 3
	certtool --to-p12 --load-privkey "$key" --load-certificate "$cert" --p12-name client \
		--outder --outfile "$output" "$@" 2>certtool.log || { cat certtool.log >&2; exit 1; }
}
gnutls gnutls.p12 client.key client.pem --password opensesame
gnutls gnutls-3des.p12 client.key client.pem --password opensesame --pkcs-cipher 3des-pkcs12
gnutls gnutls-empty.p12 client.key client.pem --empty-password
# certtool 3.8.9 crashes on this one; its test is skipped there.
(gnutls gnutls-null.p12 client.key client.pem --null-password) 2>/dev/null || rm -f gnutls-null.p12

# And each of these must not.
identity client no-certificate.p12 opensesame -nocerts 2>/dev/null
openssl pkcs12 -export -nokeys -in client.pem -out no-key.p12 -passout pass:opensesame
cat client.key ca.key > two.key
gnutls two-keys.p12 two.key client.pem --password opensesame
gnutls mismatch.p12 client.key server.pem --password opensesame
head -c 500 client.p12 > short.p12

# curve NAME OPTION...: a key on a curve that GnuTLS does not have, under the sub-CA
curve() {
	name=$1
	shift
	openssl ecparam -genkey -noout -out "$name.key" "$@"
	openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
	openssl x509 -req -in "$name.csr" -CA client-sub-ca.pem -CAkey client-sub-ca.key \
		-set_serial 1 -days 30 -out "$name.pem" 2>/dev/null
	identity "$name" "$name.p12" opensesame -certfile client-sub-ca.pem
}
curve brainpool -name brainpoolP384r1
curve secp256k1 -name secp256k1
curve wtls9 -name wap-wsg-idm-ecid-wtls9
curve explicit -name prime256v1 -param_enc explicit
identity client camellia.p12 opensesame -keypbe camellia-256-cbc
identity client misread.p12 "$(printf 'grüße €' | iconv -f ISO-8859-1 -t UTF-8)"
identity client alone.p12 opensesame

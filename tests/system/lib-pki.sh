# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# Certificates by openssl: the test library's third part. All files are in $pki,
# NAME.crt and NAME.key, PEM.
#
#   pki_ca NAME [REQ-OPTIONS...]
#   pki_server NAME CA HOST [REQ-OPTIONS...]     for HOST (and 127.0.0.1 if it is localhost)
#   pki_client NAME CA [REQ-OPTIONS...]          a client certificate
#   pki_mail NAME CA USAGES [REQ-OPTIONS...]     an S/MIME certificate with those key usages
#   pki_pfx NAME PASSWORD [EXPORT-OPTIONS...]    NAME.pfx of NAME.crt and NAME.key
#   thumbprint NAME [sha1|sha256]                of NAME.crt, lower case, no colons
#
# in_past COMMAND... runs it 400 days ago (or at $past, for date -d); with `-days 30` that
# makes an expired certificate. Keys are EC P-256 for speed, but for client identities: those are
# RSA-2048, as they are in practice. key_type=rsa:2048 before a command changes it.

pki_setup()
{
	pki=$root/pki
	mkdir -p "$pki"
	printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$pki/openssl.cnf"
}

pki_req()
{
	local name=$1 type=${key_type:-ec}
	local -a key=(-newkey "$type")

	shift
	[[ $type != ec ]] || key+=(-pkeyopt ec_paramgen_curve:P-256)
	openssl req -config "$pki/openssl.cnf" -x509 -nodes -days 30 "${key[@]}" \
		-keyout "$pki/$name.key" -out "$pki/$name.crt" \
		-addext subjectKeyIdentifier=hash "$@" 2>"$pki/openssl.log" || {
		cat "$pki/openssl.log" >&2
		return 1
	}
}

pki_ca()
{
	local name=$1

	shift
	pki_req "$name" -subj "/O=Example/CN=Test CA $name" \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign "$@"
}

pki_leaf()
{
	local name=$1 ca=$2

	shift 2
	pki_req "$name" -CA "$pki/$ca.crt" -CAkey "$pki/$ca.key" \
		-addext authorityKeyIdentifier=keyid "$@"
}

pki_server()
{
	local name=$1 ca=$2 host=$3 names=DNS:$3

	shift 3
	[[ $host != localhost ]] || names+=,IP:127.0.0.1
	pki_leaf "$name" "$ca" -subj "/CN=$host" -addext "subjectAltName=$names" \
		-addext extendedKeyUsage=serverAuth "$@"
}

pki_client()
{
	local name=$1 ca=$2

	shift 2
	key_type=${key_type:-rsa:2048} pki_leaf "$name" "$ca" -subj "/O=Example/CN=$name" \
		-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth "$@"
}

pki_mail()
{
	local name=$1 ca=$2 usages=$3

	shift 3
	pki_leaf "$name" "$ca" -subj "/O=Example/CN=$name" \
		-addext "subjectAltName=email:$name@example.com" \
		-addext "keyUsage=critical,$usages" -addext extendedKeyUsage=emailProtection "$@"
}

pki_pfx()
{
	local name=$1 password=$2

	shift 2
	openssl pkcs12 -export -in "$pki/$name.crt" -inkey "$pki/$name.key" -name "$name" \
		-passout "pass:$password" -out "$pki/$name.pfx" "$@"
}

in_past()
{
	local when

	when=$(date -u -d "${past:-400 days ago}" '+%Y-%m-%d %H:%M:%S')
	export -f pki_req pki_ca pki_leaf pki_server pki_client pki_mail
	pki=$pki TZ=UTC faketime -f "@$when" bash -c '"$@"' in_past "$@"
}

thumbprint()
{
	openssl x509 -in "$pki/$1.crt" -noout -fingerprint "-${2:-sha256}" |
		sed 's/.*=//; s/://g' | tr A-F a-f
}

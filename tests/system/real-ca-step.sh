# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# step-ca, of Smallstep's libraries as Debian has them, and a main function of our own that calls
# them (tests/peers/step-ca). Built once, in minutes; kept in the cache. Sourced by
# lib-real-ca.sh.

real_packages=(golang-github-smallstep-certificates-dev golang-go)
real_port=
step_password='jwk pass-wörd'

# step_build FILE
step_build()
{
	local work=$1.build

	rm -rf "$work"
	mkdir -p "$work"
	env GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="$work/cache" \
		GOTMPDIR="$work" CGO_ENABLED=0 \
		go build -o "$work/step-ca" "$top_srcdir/tests/peers/step-ca/main.go" \
		>"$work/log" 2>&1 && mv "$work/step-ca" "$1"
	tail -n 1 "$work/log" >&2
	rm -rf "$work"
}

real_get()
{
	local cache version

	version=$(dpkg-query -W -f='${Version}' golang-github-smallstep-certificates-dev 2>/dev/null)
	if [[ -z $version ]] || ! command -v go >/dev/null; then
		printf 'no packages golang-github-smallstep-certificates-dev and golang-go here\n' >&2
		return 1
	fi
	cache=$(fetch_cache)
	step_ca=$cache/step-ca-$version-$(sha256sum <"$top_srcdir/tests/peers/step-ca/main.go" |
		cut -c1-16)
	mkdir -p "$cache" || return 1
	(
		flock 9
		[[ -x $step_ca ]] || step_build "$step_ca"
	) 9>"$cache/step-ca.lock"
	[[ -x $step_ca ]]
}

# What a certificate gets is in the provisioner's template: one for each purpose.
step_template()
{
	# shellcheck disable=SC1083
	printf '%s' '{"subject": {{ toJson .Insecure.CR.Subject }}, "sans": {{ toJson .SANs }}, ' \
		"\"keyUsage\": [\"$1\"], \"extKeyUsage\": [\"emailProtection\"]}"
}

step_config()
{
	jq -n --arg port "$1" --arg pki "$pki" --arg db "$real/db" --slurpfile key "$real/public.jwk" \
		--arg roots "$(base64 -w 0 "$pki/ra-ca.crt")" \
		--arg signing "$(step_template digitalSignature)" \
		--arg encryption "$(step_template keyEncipherment)" '{
		root: "\($pki)/step-root.crt", crt: "\($pki)/step-ca.crt", key: "\($pki)/step-ca.key",
		address: "127.0.0.1:\($port)", dnsNames: ["localhost"], logger: {format: "text"},
		db: {type: "bbolt", dataSource: $db},
		authority: {
			claims: {minTLSCertDuration: "5m", maxTLSCertDuration: "8760h",
				defaultTLSCertDuration: "8759h"},
			provisioners: [
				{type: "JWK", name: "signing", key: $key[0],
					options: {x509: {template: $signing}}},
				{type: "JWK", name: "encryption", key: $key[0],
					options: {x509: {template: $encryption}}},
				{type: "X5C", name: "signing of RAs", roots: $roots,
					options: {x509: {template: $signing}}},
				{type: "X5C", name: "encryption of RAs", roots: $roots,
					options: {x509: {template: $encryption}}}
			]
		}
	}'
}

real_setup()
{
	real_title='step-ca, by one-time tokens of a JWK provisioner'
	pki_ca step-root -days 3650
	pki_leaf step-ca step-root -days 3650 -subj '/O=Example/CN=Step Intermediate CA' \
		-addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
		-addext 'keyUsage=critical,keyCertSign,cRLSign'
	pki_ca ra-ca -days 3650
	pki_client ra ra-ca -days 3650
	(
		umask 077
		"$step_ca" -jwk "$step_password" >"$real/keys" || exit 1
		sed -n 1p "$real/keys" >"$real/public.jwk"
		sed -n 2p "$real/keys" >"$real/plain.jwk"
		sed -n 3p "$real/keys" >"$real/compact.jwe"
		sed -n 4p "$real/keys" >"$real/flattened.jwe"
		printf '%s\n' "$step_password" >"$real/jwk.password"
		pki_pfx ra 'ra identity'
		printf 'ra identity\n' >"$real/ra.password"
	)
}

step_is_up()
{
	! running real-ca || curl --silent --fail --max-time 10 --cacert "$pki/step-root.crt" \
		--output /dev/null "https://localhost:$1/health"
}

real_start()
{
	local port

	for _ in 1 2 3 4 5; do
		port=${real_port:-$(free_port)}
		step_config "$port" >"$real/ca.json"
		start real-ca "$step_ca" "$real/ca.json"
		if wait_for 60 step_is_up "$port" && running real-ca; then
			real_port=$port
			real_settings=(ca.type=step "ca.url=https://localhost:$port"
				"ca.ca-file=$pki/step-root.crt" "ca.issuer-file=$pki/step-root.crt"
				"ca.jwk-file=$real/plain.jwk"
				'ca signing.provisioner=signing' 'ca encryption.provisioner=encryption')
			return 0
		fi
		real_stop
	done
	return 1
}

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# EST: estserver, the example server of libest, which Debian 13 has; it runs unchanged on
# Debian 12. It signs as `openssl ca` does, by a configuration file. Sourced by lib-real-ca.sh.
#
# real_options: more of its options, before real_start.

real_port=
real_options=()

real_get()
{
	local lib

	real_root=$(fetch_packages trixie libest-utils libest3) || return 1
	for lib in "$real_root"/usr/lib/*/libest.so.3.*; do
		real_lib=${lib%/*}
	done
	# dpkg-deb knows nothing of what ldconfig does
	mkdir -p "$real/lib"
	ln -sf "$lib" "$real/lib/libest.so.3"
	LD_LIBRARY_PATH=$real/lib ldd "$real_root/usr/bin/estserver" | grep 'not found' >&2 || return 0
	return 1
}

# It takes over what the request asks for: names, key usage, purpose.
est_config()
{
	cat <<-END
		[ca]
		default_ca = mail
		[mail]
		database = $real/index.txt
		serial = $real/serial
		new_certs_dir = $real/issued
		certificate = $pki/est-ca.crt
		private_key = $pki/est-ca.key
		default_days = 365
		default_md = sha256
		unique_subject = no
		copy_extensions = copy
		policy = any
		x509_extensions = leaf
		[any]
		commonName = supplied
		organizationName = optional
		[leaf]
		basicConstraints = critical,CA:FALSE
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
	END
}

real_setup()
{
	real_title='estserver of libest, by EST (RFC 7030)'
	mkdir -p "$real/issued"
	pki_ca est-ca
	pki_ca est-tls
	pki_server est-server est-tls localhost
	pki_client ra est-tls
	est_config >"$real/estExampleCA.cnf"
	: >"$real/index.txt"
	printf '1000\n' >"$real/serial"
	cat "$pki/est-server.crt" "$pki/est-tls.crt" >"$real/server.pem"
	(
		umask 077
		pki_pfx ra 'ra identity'
		printf 'ra identity\n' >"$real/ra.password"
		printf 'estpwd\n' >"$real/est.password" # of its one user, which is built in
	)
}

est_answers()
{
	curl --silent --fail --max-time 10 --cacert "$pki/est-tls.crt" --output /dev/null \
		"https://localhost:$1/.well-known/est/cacerts"
}

# For `start`, whose process it becomes.
est_run()
{
	cd "$real" || exit 1
	export LD_LIBRARY_PATH=$real/lib EST_OPENSSL_CACONFIG=$real/estExampleCA.cnf \
		EST_TRUSTED_CERTS=$pki/est-tls.crt EST_CACERTS_RESP=$pki/est-ca.crt
	exec "$real_root/usr/bin/estserver" -p "$1" -c "$real/server.pem" \
		-k "$pki/est-server.key" -r estrealm "${real_options[@]}"
}

est_is_up()
{
	est_answers "$1" || ! running real-ca
}

real_start()
{
	local port

	for _ in 1 2 3 4 5; do
		port=${real_port:-$(free_port)}
		start real-ca est_run "$port"
		if wait_for 60 est_is_up "$port" && running real-ca; then
			real_port=$port
			real_settings=(ca.type=est "ca.url=https://localhost:$port"
				"ca.ca-file=$pki/est-tls.crt" "ca.issuer-file=$pki/est-ca.crt"
				ca.username=estuser "ca.password-file=$real/est.password")
			return 0
		fi
		real_stop
	done
	return 1
}

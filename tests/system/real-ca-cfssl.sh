# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# CFSSL, as Debian has it: requests with a token, over mutual TLS, and a database of what was
# issued. Sourced by lib-real-ca.sh.

real_packages=(golang-cfssl sqlite3)
real_port=

real_get()
{
	command -v cfssl sqlite3 >/dev/null && return 0
	printf 'cfssl (package golang-cfssl) or sqlite3 is not installed\n' >&2
	return 1
}

# Usages are all that the profiles differ in; "open" asks for no token.
cfssl_config()
{
	jq -n '{
		signing: {
			default: {expiry: "1h", usages: ["digital signature"], auth_key: "mail"},
			profiles: {
				signing: {expiry: "8760h", auth_key: "mail",
					usages: ["digital signature", "email protection"]},
				encryption: {expiry: "8760h", auth_key: "mail",
					usages: ["key encipherment", "email protection"]},
				open: {expiry: "8760h", usages: ["digital signature", "email protection"]}
			}
		},
		auth_keys: {mail: {type: "standard", key: "00112233445566778899aabbccddeeFF"}}
	}'
}

# As certdb/sqlite/migrations of its sources has them.
cfssl_tables()
{
	cat <<-END
		CREATE TABLE certificates (serial_number blob NOT NULL,
			authority_key_identifier blob NOT NULL, ca_label blob, status blob NOT NULL,
			reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
			PRIMARY KEY (serial_number, authority_key_identifier));
		CREATE TABLE ocsp_responses (serial_number blob NOT NULL,
			authority_key_identifier blob NOT NULL, body blob NOT NULL, expiry timestamp,
			PRIMARY KEY (serial_number, authority_key_identifier));
	END
}

real_setup()
{
	real_title='CFSSL, with tokens, over mutual TLS'
	pki_ca cfssl-ca -days 3650
	pki_ca cfssl-tls
	pki_server cfssl-server cfssl-tls localhost
	pki_client ra cfssl-tls
	cfssl_config >"$real/config.json"
	cfssl_tables | sqlite3 "$real/certificates.db"
	jq -n --arg file "$real/certificates.db" '{driver: "sqlite3", data_source: $file}' \
		>"$real/database.json"
	(
		umask 077
		pki_pfx ra 'ra identity'
		printf 'ra identity\n' >"$real/ra.password"
		printf '00112233445566778899aabbccddeeFF\n' >"$real/auth.key"
	)
}

cfssl_is_up()
{
	! running real-ca || curl --silent --fail --max-time 10 --cacert "$pki/cfssl-tls.crt" \
		--cert "$pki/ra.crt" --key "$pki/ra.key" --output /dev/null --data '{}' \
		"https://localhost:$1/api/v1/cfssl/info"
}

real_start()
{
	local port

	for _ in 1 2 3 4 5; do
		port=${real_port:-$(free_port)}
		start real-ca cfssl serve -address=127.0.0.1 "-port=$port" \
			"-ca=$pki/cfssl-ca.crt" "-ca-key=$pki/cfssl-ca.key" \
			"-config=$real/config.json" "-db-config=$real/database.json" \
			"-tls-cert=$pki/cfssl-server.crt" "-tls-key=$pki/cfssl-server.key" \
			"-mutual-tls-ca=$pki/cfssl-tls.crt"
		if wait_for 60 cfssl_is_up "$port" && running real-ca; then
			real_port=$port
			real_settings=(ca.type=cfssl "ca.url=https://localhost:$port"
				"ca.ca-file=$pki/cfssl-tls.crt" "ca.issuer-file=$pki/cfssl-ca.crt"
				"ca.identity=$pki/ra.pfx" "ca.identity-password-file=$real/ra.password"
				"ca.auth-key-file=$real/auth.key" 'ca signing.profile=signing'
				'ca encryption.profile=encryption')
			return 0
		fi
		real_stop
	done
	return 1
}

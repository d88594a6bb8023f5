# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# An administrator who follows the documentation to the letter, in a container: for tests that
# source it behind lib.sh, lib-pages.sh and lib-tree.sh. Values that an administrator fills in are in $values;
# of everything else not a letter is changed.
#
#   follow PAGE NAME       runs that block, as root, in $folder; the answer to a prompt is
#                          the webhook's password
#   cloned                 a repository of these sources, from which README.md's command has made
#                          its working copy; $folder is that then
#   built                  the package, as README.md says, in /tmp/certprov there, with the tests
#                          that belong to it, under whatever runs in the container
#   values_are_known       once gateway and ports are known; certificates and secrets lie in
#                          the container's /root then
#   configuration_written  /etc/certprov as README.md has it, with the test's own files
#   own_server, own_host   a server of nginx's or Apache's from before, with the documented line
#   nginx_ports FILE, apache_ports FILE   to what is free here
#   delivered NAME         an event that is posted is answered 202, after its upload

folder=/root
values=()
users=0 # who have enrolled: each has an address of its own

follow()
{
	local block=$root/$2.block

	page_block "$1" "$2" | sed "${values[@]}" >"$block" || return 1
	cp "$block" "$tree/root/block"
	printf '%s\n' "${credentials#*:}" |
		inside env -C "$folder" bash -e -o pipefail /root/block
}

# In a shell of its own for the first: it defines functions of the same names.
cloned()
{
	local -a git=(env -C /root/certprov.git git -c user.name=test -c user.email=test@example.com)

	# shellcheck source=tests/setup.sh
	bash -euc '. "$1/tests/setup.sh"; copy_source "$2"' - "$top_srcdir" "$tree/root/certprov.git" &&
		inside "${git[@]}" init -q && inside "${git[@]}" add -A &&
		inside "${git[@]}" commit -q -m 'As it is' && follow README.md clone || return 1
	folder=/root/certprov
}

built()
{
	local started=$SECONDS

	ok 'the package is built, and its tests pass' follow README.md build
	diag "in $((SECONDS - started)) s"
	like "$(sed -n 's/^# \(PASS\|FAIL\|ERROR\): */\1 /p' "$root/output" | paste -sd ' ')" \
		'^PASS [1-9][0-9][0-9]+ FAIL 0 ERROR 0$' '... which are hundreds'
}

values_are_known()
{
	front_port=$(free_port)
	front_http_port=$(free_port)
	front_url=https://localhost:$front_port/certprov
	values=(-e 's|https://git\.example\.com/|/root/|' -e "s|https://eg\.example\.com|$eg_url|" -e "s|https://your\.server/|https://localhost:$front_port/|"
		-e 's|your\.server|localhost|' -e 's|htpasswd -B|htpasswd -iB|'
		-e "s|^curl |curl --silent --show-error --cacert /root/front-ca.crt |"
		-e "s|--user uem |--user $credentials |")
	pki_ca front-ca
	pki_server front front-ca localhost
	cp "$pki/front-ca.crt" "$tree/root"
	install -D -m 0644 "$pki/front.crt" "$tree/etc/ssl/certs/certprov.pem"
	install -D -m 0600 "$pki/front.key" "$tree/etc/ssl/private/certprov.key"
}

configuration_written()
{
	page_block README.md configuration | sed "${values[@]}" >"$tree/etc/certprov/certprov.conf" &&
		cp "${conf%/*}"/{certificate.pfx,certificate.password,eg-ca.pem,p12.password} \
			"$tree/etc/certprov" && follow README.md secrets
}

nginx_ports()
{
	sed -i -e "/listen \[::\]/d; s|listen 443|listen 127.0.0.1:$front_port|" \
		-e "s|listen 80;|listen 127.0.0.1:$front_http_port;|" "$1"
}

own_server()
{
	rm -f "$tree/etc/nginx/sites-enabled/default"
	cat >"$tree/etc/nginx/sites-enabled/own" <<-END
		server {
			listen 127.0.0.1:$front_port ssl;
			server_name localhost;
			ssl_certificate /etc/ssl/certs/certprov.pem;
			ssl_certificate_key /etc/ssl/private/certprov.key;
			$(page_blocks nginx doc/nginx.md)
		}
	END
}

apache_ports()
{
	sed -i -e "s/\(Listen \|\*:\)80\b/\1$front_http_port/; s/\(Listen \|\*:\)443\b/\1$front_port/" "$1"
}

own_host()
{
	cat >"$tree/etc/apache2/sites-enabled/own.conf" <<-END
		<VirtualHost *:$front_port>
			ServerName localhost
			SSLEngine on
			SSLCertificateFile /etc/ssl/certs/certprov.pem
			SSLCertificateKeyFile /etc/ssl/private/certprov.key
			$(page_blocks apache doc/apache.md)
		</VirtualHost>
	END
}

delivered()
{
	local uploads

	uploads=$(eg_upload_count)
	event_json device="$(new_uuid)" user="$(new_uuid)" name="user-$((++users))" >"$root/event.json"
	post_event "$root/event.json"
	is "$status $(jq -r .status "$answer.body")" '202 delivered' "$1"
	is "$(eg_upload_count)" $((uploads + 1)) '... after its upload'
}

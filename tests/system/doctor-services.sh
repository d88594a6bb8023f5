#!/bin/bash
# certprov check on its surroundings: systemd's units, the running handler, the web server's files
# that pass events on. Each fault by itself, starting from a right set-up.
# shellcheck disable=SC2016 # variables of web servers

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

web=$root/front
checker=$(program tests/stops/certprov-disk)
export CERTPROV_TEST_DISK='100000 50000 0'

# look [OPTION...]: sets $code; what is not ok is in $root/found
look()
{
	code=0
	timeout 120 "$checker" -c "$conf" check --web-server "$web" "$@" >"$root/check" 2>&1 || code=$?
	grep -v '^ok ' "$root/check" >"$root/found" || true
}

# finds CODE REGEX NAME: only that
finds()
{
	look
	if [[ $code == "$1" && $(wc -l <"$root/found") == 1 ]] && grep -Eq "^$2" "$root/found"; then
		pass "$3"
	else
		fail "$3"
		diag "  exit status $code, want $1 and only: $2"
		diag "$(<"$root/check")"
	fi
}

finds_nothing()
{
	look
	is "$code $(<"$root/found")" '0 ' "$1"
}

# front_is FILE EDIT: a web server whose configuration differs
front_is()
{
	rm -rf "$root/web"
	cp -r "$front" "$root/web"
	sed -i "$2" "$root/web/$1"
	web=$root/web
}

reloaded()
{
	(($(grep -c 'new workers take over' "$root/handler.log") >= $1))
}

finds_handler_right()
{
	look
	grep -q '^ok  *handler: ' "$root/check"
}

front_http_port=$(free_port)
ok 'everything starts' world certificates.key=ec-p256 identity.allowed-domains=example.com \
	"ca.crl-url=http://localhost:$front_http_port/certprov/ca.crl"
request GET /ca.crl
finds_nothing 'a right set-up'

# --- exit status

configure identity.allowed-domains=
handler_reload
look
is "$code" 0 'a warning is no failure'
look --strict
is "$code" 1 '... unless --strict says so'
look --strict --json
is "$code" 1 '... with --json, too'
configure identity.allowed-domains=example.com
handler_reload
ok 'reloaded' wait_for 60 reloaded 2
ok 'a handler that has read its files' wait_for 60 finds_handler_right
look --strict
is "$code" 0 '... and where there is none it holds'

# --- the handler

touch "${conf%/*}/uem.users"
finds 0 'WARN +handler: .*uem\.users has changed since process [0-9]+ .*systemctl reload' \
	'a file that has changed since'
handler_reload
ok '... and is read' wait_for 60 finds_handler_right
touch "$conf"
finds 0 'WARN +handler: .*certprov\.conf has changed since' 'a configuration that has changed since'
handler_stop
look
ok 'no handler: nobody serves its socket' grep -Eq '^WARN +web server: .*certprov\.sock.*start' "$root/found"
not_ok '... and none is said to run' grep -q ' handler: ' "$root/check"
cp "$(program certprov.fcgi)" "$root/certprov.fcgi"
rm -f "$root/certprov.sock"
start handler "$root/certprov.fcgi" -c "$conf" -s "$root/certprov.sock" -w 2
ok 'another program' wait_ready handler -S "$root/certprov.sock"
ok '... that is the one that runs' wait_for 60 finds_handler_right
cp "$root/certprov.fcgi" "$root/new"
mv "$root/new" "$root/certprov.fcgi"
finds 0 'WARN +handler: process [0-9]+ still runs the program .*restart' 'an update without a restart'
handler_stop
handler_start
ok 'the first one again' wait_for 60 finds_handler_right

# --- the web server: TLS and certificate

front_is sites-enabled/certprov 's/ ssl http2;/;/'
finds 0 "WARN +web server's TLS: .*/snippets/certprov\.conf:[0-9]+ takes events without TLS.*listen 443 ssl" \
	'a server without TLS'
pki_server soon front-ca localhost -days 9
front_is sites-enabled/certprov "s|/front.crt|/soon.crt|"
finds 0 "WARN +web server's certificate: .*soon\.crt ends in [89] days: renew" 'a certificate that soon ends'
in_past pki_server ended front-ca localhost -days 30
front_is sites-enabled/certprov "s|/front.crt|/ended.crt|"
finds 1 "FAILED +web server's certificate: .*ended\.crt ended [0-9]+ days ago.*renew" 'one that has ended'
front_is nginx.conf 's/worker_processes 2;/worker_processes 2/'
finds 1 "FAILED +web server's syntax: nginx rejects .*nginx\.conf:[0-9]+\$" 'a syntax error'
front_is sites-enabled/certprov "s/listen 127.0.0.1:$front_port /listen 127.0.0.1:1 /"
finds 1 "FAILED +web server's port: no server listens on port 1 .*start nginx" 'nobody listens there'
cat >"$web/sites-enabled/certprov" <<-END
	server {
		listen 127.0.0.1:$front_port ssl;
		ssl_certificate $pki/front.crt;
		ssl_certificate_key $pki/front.key;
		location / { return 404; }
		location /certprov/ca.crl { include snippets/certprov-fastcgi.conf; fastcgi_pass certprov; }
	}
	server {
		listen unix:$root/behind.sock;
		include snippets/certprov.conf;
	}
END
finds_nothing 'one that only another one on this machine can reach'

# --- the web server: who is let in

configure events.authenticate=web-server events.users-file=
handler_stop
handler_start
ok '(the handler has the files)' wait_for 60 finds_handler_right
printf 'x:{PLAIN}y\n' >"$root/users"

# location LINE...: the place that passes events on has these lines
location()
{
	rm -rf "$root/web"
	cp -r "$front" "$root/web"
	web=$root/web
	cp "$top_srcdir/nginx/snippets/certprov-web-server-auth.conf" "$web/snippets"
	sed -i "s|/etc/nginx/certprov.users|$root/users|" "$web/snippets/certprov-web-server-auth.conf"
	printf 'fastcgi_param %s;\n' 'REMOTE_ADDR $remote_addr' 'REMOTE_USER $remote_user' >"$web/fastcgi_params"
	{
		printf 'server {\n\tlisten 127.0.0.1:%s ssl;\n' "$front_port"
		printf '\tssl_certificate %s;\n\tssl_certificate_key %s;\n' "$pki/front.crt" "$pki/front.key"
		printf '%s\n' "${in_server:-}"
		printf '\tlocation /certprov {\n\t\tfastcgi_pass certprov;\n'
		printf '\t\tinclude snippets/certprov-fastcgi.conf;\n'
		printf '\t\t%s\n' "$@"
		printf '\t}\n}\n'
	} >"$web/sites-enabled/certprov"
}

forged="FAILED +web server's authentication: .*certprov:[0-9]+ passes REMOTE_USER .*without authentication"
nobody="WARN +web server's authentication: .*authenticates nobody.*answered 401"
web=$front
finds 0 "$nobody" 'our snippet as it is, without its line'
location 'include snippets/certprov-web-server-auth.conf;'
finds_nothing 'with it'
location 'include fastcgi_params;'
finds 1 "$forged" "Debian's fastcgi_params, and no password"
location 'fastcgi_param REMOTE_USER $remote_user;' 'fastcgi_param CERTPROV_AUTHENTICATED yes;'
finds 1 "$forged" 'the parameters without the password'
location 'include snippets/certprov-web-server-auth.conf;' 'auth_basic off;'
sed -i '/^auth_basic /d' "$web/snippets/certprov-web-server-auth.conf"
finds 1 "$forged" 'our lines, with the password turned off'
in_server='auth_basic x; auth_basic_user_file '$root/users';' location 'include fastcgi_params;' \
	'fastcgi_param CERTPROV_AUTHENTICATED "yes";'
finds_nothing 'a password that the server asks for'
in_server='include fastcgi_params;' location
finds 0 "$nobody" 'parameters of the server, which others in the location replace'
location 'include "fastcgi_params"; # fastcgi_pass certprov' 'auth_request /check;'
finds 0 "$nobody" 'another server verifies, and our parameter is missing'
apache()
{
	web=$root/web
	rm -rf "$web"
	mkdir -p "$web/sites-enabled" "$web/conf-enabled"
	printf 'export APACHE_RUN_USER=%s\n' "$(id -un)" >"$web/envvars"
	cp "$top_srcdir/contrib/apache/conf-available/certprov.conf" "$web/conf-enabled"
	sed -i "s|/run/certprov/|$root/|; $1" "$web/conf-enabled/certprov.conf"
	sed "s/:443/:$front_port/; s/:80/:$front_http_port/; s|/etc/ssl/certs/certprov.pem|$pki/front.crt|; ${2:-}" \
		"$top_srcdir/contrib/apache/sites-available/certprov.conf" >"$web/sites-enabled/certprov.conf"
}
apache ''
finds 0 "$nobody.*AuthType" 'Apache without a password'
apache '/CGIPassAuth/d; s/# AuthType/AuthType/; s/# Require valid-user/Require valid-user/'
finds_nothing '... and with one'
apache 's/# AuthType/AuthType/; /CGIPassAuth/a SetEnvIf Authorization "(.+)" REMOTE_USER=$1'
finds 1 "FAILED +web server's authentication: .*sets REMOTE_USER without authentication" '... and with a name that the sender claims'
configure events.authenticate=basic events.users-file=uem.users
handler_stop
handler_start
ok '(the handler has the files)' wait_for 60 finds_handler_right
apache '' 's/SSLEngine on/SSLEngine off/'
finds 0 "WARN +web server's TLS: .*certprov\.conf:[0-9]+ takes events without TLS" 'Apache without TLS'
apache '' "s|$pki/front.crt|$pki/ended.crt|"
finds 1 "FAILED +web server's certificate: .*ended [0-9]" 'an ended certificate there'
apache ''
finds_nothing 'our files for Apache'
if command -v apache2ctl >/dev/null; then
	printf 'Nonsense on\n' >"$web/apache2.conf"
	finds 1 "FAILED +web server's syntax: apache2ctl rejects .*/web, .*: AH[0-9]+: " 'a fault in them'
else
	skip 'a fault in them' 'there is no apache2ctl (Debian: apache2)'
fi
web=$front

# --- systemd

mkdir "$root/bin"
cat >"$root/bin/systemctl" <<END
#!/bin/bash
# Says what the files of a folder say of each unit, as systemctl show does.
for unit; do
	case \$unit in
	show | --*) continue ;;
	esac
	state=\$(cat "$root/units/\$unit" 2>/dev/null || echo 'not-found inactive')
	read -r load active file <<<"\$state"
	printf 'Id=%s\nLoadState=%s\nActiveState=%s\nUnitFileState=%s\n\n' "\$unit" "\$load" "\$active" "\$file"
done
END
chmod 755 "$root/bin/systemctl"
export PATH=$root/bin:$PATH

# unit STATE NAME...
unit()
{
	local state=$1 name

	shift
	for name; do
		printf '%s\n' "$state" >"$root/units/$name"
	done
}

# units_are: all of them as they should be, of the instance $1
units_are()
{
	rm -rf "$root/units"
	mkdir "$root/units"
	unit 'loaded active enabled' "certprov$1.service" "certprov-deliver$1.timer" \
		"certprov-renew$1.timer" "certprov-crl$1.timer"
	unit 'loaded active disabled' "certprov$1.socket"
	unit 'loaded inactive disabled' "certprov-reconcile$1.timer"
	unit 'loaded inactive static' "certprov-deliver$1.service" "certprov-renew$1.service" \
		"certprov-crl$1.service"
}

units_are ''
unit 'loaded inactive disabled' certprov.service
finds_nothing 'where systemd does not run it is not asked'
export CERTPROV_TEST_SYSTEMD=1
rm -r "$root/units"
finds_nothing 'nor of units that are not there'
units_are ''
finds_nothing 'all is on'
ok '... and that is said' grep -q '^ok  *services: ' "$root/check"
unit 'loaded active disabled' certprov.service
finds 0 'WARN +services: certprov\.service is not enabled.*systemctl enable certprov\.service' 'not enabled'
unit 'loaded inactive disabled' certprov.service certprov.socket
finds 0 'WARN +services: certprov\.service is stopped.*systemctl enable --now' 'never started'
unit 'loaded inactive enabled' certprov.service
finds 1 'FAILED +services: certprov\.service is stopped.*systemctl start' 'stopped'
unit 'loaded failed enabled' certprov.service
finds 1 'FAILED +services: certprov\.service has failed: systemctl status' 'failed'
for timer in deliver renew crl; do
	units_are ''
	unit 'loaded inactive disabled' "certprov-$timer.timer"
	finds 0 "WARN +services: certprov-$timer\.timer is off, so .*systemctl enable --now certprov-$timer\.timer" \
		"the timer of $timer is off"
done
units_are ''
unit 'loaded active disabled' certprov-renew.timer
finds 0 'WARN +services: certprov-renew\.timer is not enabled' 'a timer that is on until the next boot'
units_are ''
unit 'loaded failed static' certprov-deliver.service
finds 0 'WARN +services: the last run of certprov-deliver\.service failed: journalctl' 'a run that failed'

# That timer is wanted with [uem] alone.
units_are ''
cp "$conf" "$root/without-uem"
configure uem.url=https://127.0.0.1:9 uem.token-url=https://127.0.0.1:9/connect/token \
	uem.client-id=x uem.client-secret-file=certificate.password
look
ok 'with [uem] the timer of reconcile is missed' grep -Eq \
	'^WARN +services: certprov-reconcile\.timer is off, so events .*systemctl enable --now' "$root/found"
cp "$root/without-uem" "$conf"

# The configuration of a tenant has units of its own.
mkdir -p "$root/tenant/certprov/acme"
cp -a "${conf%/*}/." "$root/tenant/certprov/acme"
units_are @acme
unit 'loaded failed enabled' certprov@acme.service certprov.service
conf=$root/tenant/certprov/acme/certprov.conf
finds 1 'FAILED +services: certprov@acme\.service has failed' "a tenant's service"

done_testing

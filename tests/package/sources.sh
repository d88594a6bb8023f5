#!/bin/bash
# From the sources to enrollments, by nothing but the commands of README.md and doc/systemd.md, in a
# fresh Debian where no systemd runs: spawn-fcgi starts the handler, cron does what timers do
# elsewhere. And the package is built there, as README.md says.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-pages.sh
. "$top_srcdir/tests/system/lib-pages.sh"
# shellcheck source=tests/package/lib-tree.sh
. "$top_srcdir/tests/package/lib-tree.sh"
# shellcheck source=tests/package/lib-words.sh
. "$top_srcdir/tests/package/lib-words.sh"

sources=/root/certprov

# In a shell of its own: it defines functions of the same names.
copy_of_sources()
{
	# shellcheck source=tests/setup.sh
	bash -euc '. "$1/tests/setup.sh"; copy_source "$2"' - "$top_srcdir" "$tree$sources"
}

# As many jobs as processors. The package's own tests run in deployment.sh and debian-13.sh.
login+=(MAKEFLAGS="-j$(nproc)" DEB_BUILD_OPTIONS=nocheck)
make_tree cron curl spawn-fcgi || no_tree
ok 'a gateway' eg_start
values_are_known
ok 'the sources are there' copy_of_sources
ok 'a fresh machine' run_without_systemd
[[ -n $init ]] || skip_all "no container: $(tail -n 1 "$root/machine.log")"

folder=$sources
ok 'from the sources' follow README.md sources
ok 'the package is built' follow README.md build
like "$(inside sh -c 'dpkg-deb --field /tmp/certprov/certprov_*.deb Package')" '^certprov$' '... and is one'

# --- the handler

ok 'a user for it' follow README.md user
is "$(mode /etc/certprov) $(mode /var/lib/certprov)" '750 root:certprov 700 certprov:certprov' \
	'... and folders that are closed'
ok 'configure' configuration_written
ok 'init, check' follow README.md init
ok 'spawn-fcgi' follow doc/systemd.md spawn-fcgi
is "$(inside stat --format='%a %U:%G' /run/certprov/certprov.sock)" '660 certprov:www-data' \
	'... makes the socket for the web server'
is "$(inside stat --format=%U "/proc/$(inside cat /run/certprov/certprov.pid)")" certprov \
	'... and the handler is its own user'

# --- nginx

ok "nginx's files" follow README.md nginx-files
own_server
ok 'nginx that was there before' inside nginx
ok 'nginx takes ours' follow README.md nginx-reload
delivered 'a device enrolls'
ok 'the handler is stopped' follow doc/systemd.md stop
event_json device="$(new_uuid)" user="$(new_uuid)" name="user-$((++users))" >"$root/event.json"
post_event "$root/event.json"
is "$status" 502 '... and nobody answers'
ok '... and started again' follow doc/systemd.md spawn-fcgi
delivered 'a device enrolls'
rm "$tree/etc/nginx/sites-enabled/own"
ok 'the complete server' follow doc/nginx.md files
nginx_ports "$tree/etc/nginx/sites-available/certprov"
inside sed -i 's/certprov.example.com/localhost/' /etc/nginx/sites-available/certprov
inside ln -s ../sites-available/certprov /etc/nginx/sites-enabled/certprov
ok '... which nginx takes' follow README.md nginx-reload
delivered 'a device enrolls there'

# --- cron. Its own parser reads the lines and runs their commands; only the time is another one.

cron_lines()
{
	page_block doc/systemd.md cron | awk '{
		$1 = $2 = $3 = $4 = $5 = "*"
		print $0 "; echo $? >>/var/lib/certprov/cron-" NR }'
}

cron_has_run()
{
	[[ $(find "$tree/var/lib/certprov" -name 'cron-*' -size +0 | wc -l) == "$(cron_lines | wc -l)" ]]
}

eg_script 503
event_json device="$(new_uuid)" user="$(new_uuid)" name="user-$((++users))" >"$root/event.json"
post_event "$root/event.json"
is "$status" 503 'an upload that is refused at first'
is "$(inside_certprov list uploads --state pending --json | jq length)" 1 '... is pending'
rm -f "$tree/var/lib/certprov/ca.crl"
cron_lines >"$tree/etc/cron.d/certprov"
start cron inside cron -f
ok 'cron runs each line' wait_for 180 cron_has_run
is "$(cat "$tree/var/lib/certprov/"cron-* | sort -u)" 0 '... which end with 0'
is "$(mode /var/lib/certprov/ca.crl)" '644 certprov:certprov' 'the revocation list is a file'
uploaded()
{
	[[ $(inside_certprov list uploads --state pending --json | jq length) == 0 ]]
}
ok 'what was refused is delivered, a minute or two later' wait_for 300 uploaded

stop cron || true

# --- Apache

nginx_has_gone()
{
	inside test ! -e /run/nginx.pid
}
inside nginx -s quit 2>"$root/output"
wait_for 60 nginx_has_gone
inside install -d -m 1777 /run/lock # which every init makes
ok 'Apache' inside apt-get -qq install apache2
apache_ports "$tree/etc/apache2/ports.conf"
ok "Apache's files" follow doc/apache.md files
ok 'modules and macros' follow doc/apache.md modules
own_host
ok 'Apache starts' inside apache2ctl start
delivered 'a device enrolls'

machine_stop
done_testing

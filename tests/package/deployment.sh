#!/bin/bash
# From git clone to enrollments, by nothing but the commands of README.md, doc/nginx.md and
# doc/apache.md, in a fresh Debian 12 that systemd runs: the package with its tests, a server that
# nginx had before, the complete server, an upgrade; then the same with Apache. On the way: what
# tests/setup.sh installs does not start.

suite=bookworm
. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-pages.sh
. "$top_srcdir/tests/system/lib-pages.sh"
# shellcheck source=tests/package/lib-tree.sh
. "$top_srcdir/tests/package/lib-tree.sh"
# shellcheck source=tests/package/lib-words.sh
. "$top_srcdir/tests/package/lib-words.sh"

# package_of VERSION: is what the container has in /tmp/certprov
package_of()
{
	local inside_tmp=/proc/$init/root/tmp/certprov

	rm -rf "$root/unpacked" "$inside_tmp"
	mkdir "$inside_tmp"
	dpkg-deb --raw-extract "$root"/deb/certprov_*.deb "$root/unpacked" &&
		sed -i "s/^Version: .*/Version: $1/" "$root/unpacked/DEBIAN/control" &&
		dpkg-deb --build "$root/unpacked" "$inside_tmp/certprov_$1_all.deb" >"$root/output"
}

# In the pages that the package has installed.
broken_links()
{
	local folder=$tree/usr/share/doc/certprov page target

	[[ -s $folder/doc/nginx.md ]] || printf 'no pages\n'
	for page in "$folder/README.md" "$folder"/doc/*.md; do
		while read -r target; do
			[[ -e ${page%/*}/$target ]] || printf '%s: %s\n' "${page##*/}" "$target"
		done < <(grep -oE '\]\([^)#:]+' "$page" | cut -c 3-)
	done
}

make_tree curl git nginx-light systemd systemd-sysv || no_tree
ok 'a gateway' eg_start
values_are_known
rm -f "$tree/etc/nginx/sites-enabled/default"
ok 'a fresh machine' boot
[[ -n $init ]] || skip_all "systemd does not come up in a container: $(tail -n 1 "$root/machine.log")"

# --- the handler, as README.md says

ok 'the sources are cloned' cloned
built
cp -r "/proc/$init/root/tmp/certprov" "$root/deb"
package_of 0.0.1
ok 'install' follow README.md install
ok 'configure' configuration_written
ok 'init, check' follow README.md init
like "$(<"$root/output")" '[0-9a-f]{64}' 'which shows the thumbprint to register'
ok 'start' follow README.md start
is "$(broken_links)" '' 'the links of the pages lead somewhere there'

# --- nginx

own_server
ok 'nginx takes it' follow README.md nginx-reload
delivered 'a device enrolls'
ok 'is it right?' follow doc/nginx.md right
like "$(<"$root/output")" '^OK.*HTTP/[12.]+ 403.*ok +web server' 'it is'

# --- the store cannot be written: what comes meanwhile is handed in from the journal

mkfifo "$tree/root/commands"
ok 'another program' inside apt-get -qq install sqlite3
start holder inside sh -c 'exec sqlite3 /var/lib/certprov/certprov.db </root/commands >/root/held 2>&1'
exec 9>"$tree/root/commands"
printf 'BEGIN IMMEDIATE;\n.print locked\n' >&9
ok '... holds the store' wait_for 60 grep -q locked "$tree/root/held"
uploads=$(eg_upload_count)
event_json device="$(new_uuid)" user="$(new_uuid)" name="user-$((++users))" >"$root/event.json"
post_event "$root/event.json"
is "$status" 503 'an event then is answered 503'
exec 9>&-
wait_for 60 stopped holder || true
stop holder || true
ok '... handed in from the journal' follow doc/troubleshooting.md unrecorded
is "$(eg_upload_count)" $((uploads + 1)) '... and uploaded'

rm "$tree/etc/nginx/sites-enabled/own"
ok 'nginx without it' follow doc/nginx.md reload
nginx_ports "$tree/etc/nginx/sites-available/certprov"
ok 'the complete server' follow doc/nginx.md site
delivered 'a device enrolls there'
settings=$(inside sha256sum /etc/nginx/sites-available/certprov /etc/certprov/certprov.conf)
package_of 0.0.2
ok 'upgrade' follow doc/nginx.md upgrade
is "$(installed_version)" 0.0.2 '... to the newer version'
is "$(inside sha256sum /etc/nginx/sites-available/certprov /etc/certprov/certprov.conf)" "$settings" \
	'... and what was changed stays'
delivered 'a device enrolls'

# --- what tests/setup.sh installs is there, but does not run

inside systemctl disable --quiet --now nginx 2>"$root/output"
cp "$top_srcdir/tests/setup.sh" "$tree/root"
ok "packages for tests are installed" \
	inside bash -euo pipefail -c '. /root/setup.sh; install_packages apache2 prometheus'
for service in apache2 prometheus; do
	is "$(inside systemctl show --property=LoadState,ActiveState,UnitFileState "$service" | sort | tr '\n' ' ')" \
		'ActiveState=inactive LoadState=loaded UnitFileState=disabled ' "$service is there, and does not run"
	is "$(inside journalctl --unit="$service" --quiet --no-pager)" '' '... nor has it'
done

# --- Apache

apache_ports "$tree/etc/apache2/ports.conf"
ok 'an Apache that was there before' inside systemctl start apache2
ok 'modules and macros' follow doc/apache.md modules
own_host
ok 'the line, and Apache anew' follow doc/apache.md restart
delivered 'a device enrolls'
ok 'is it right?' follow doc/apache.md right
like "$(<"$root/output")" '^OK.*HTTP/[12.]+ 403.*ok +web server' 'it is'
rm "$tree/etc/apache2/sites-enabled/own.conf"
apache_ports "$tree/etc/apache2/sites-available/certprov.conf"
ok 'the complete virtual host' follow doc/apache.md site
delivered 'a device enrolls there'
package_of 0.0.3
ok 'upgrade' follow doc/apache.md upgrade
is "$(installed_version)" 0.0.3 '... to the newer version'
delivered 'a device enrolls'

# --- mod_fcgid, where Apache's user owns all of it

inside systemctl disable --quiet --now certprov.service certprov.socket
ok 'mod_fcgid' inside apt-get -qq install libapache2-mod-fcgid
sed -i "s|Use CertprovProxy .*|$(grep -o 'Use CertprovFcgid [^`]*' "$top_srcdir/doc/apache.md")|" \
	"$tree/etc/apache2/sites-available/certprov.conf"
ok "all is Apache's" follow doc/apache.md own
ok 'Apache anew' follow doc/apache.md restart
delivered 'a device enrolls'

# --- gone

ok 'a purge' inside apt-get -qq purge certprov
ok '... leaves Apache a configuration that it takes' inside apache2ctl configtest
ok '... and nginx, too' inside nginx -t

machine_stop
done_testing

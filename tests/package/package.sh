#!/bin/bash
# The Debian package: built, judged by lintian, installed into a fresh Debian in a folder,
# configured as README.md says, and run there by systemd as init of a container; restarted
# and upgraded under load, then removed and purged.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"

# shellcheck source=tests/package/lib-tree.sh
. "$top_srcdir/tests/package/lib-tree.sh"

export TMPDIR=$root # lintian leaves files behind

as_certprov()
{
	in_tree runuser -u certprov -- certprov "$@"
}

# --- build

export DEB_BUILD_OPTIONS=nocheck # deployment.sh and debian-13.sh build it with its tests
make_tree dbus nginx-light systemd systemd-sysv &
making=$!
ok 'the package is built' "$top_srcdir/contrib/build-deb.sh" "$root/new"
ok '... and one of an older version' "$top_srcdir/contrib/build-deb.sh" "$root/old" 0.0.1
fresh=("$root"/new/certprov_*.deb)
older=("$root"/old/certprov_*.deb)
version=$(dpkg-deb --field "${fresh[0]}" Version)
is "certprov $version" "$(certprov --version)" 'its version is that of the sources'
ok 'lintian has nothing to say' silent lintian --allow-root --fail-on error,warning "$root"/new/*.changes
code=0
wait "$making" || code=$?
((code == 0)) || no_tree

# --- install

cp "${fresh[0]}" "$tree/root/new.deb"
cp "${older[0]}" "$tree/root/old.deb"
ok 'it can be installed' in_tree apt-get -qq install --no-install-recommends /root/old.deb
is "$(mode /etc/certprov) $(mode /etc/certprov/certprov.conf)" '750 root:certprov 640 root:certprov' \
	'the configuration is for root and our user'
is "$(mode /var/lib/certprov)" '700 certprov:certprov' 'the state for our user alone'
ok "nginx takes our files into its configuration" in_tree nginx -t
is "$(find "$tree/etc/systemd/system" -name 'certprov*')" '' 'nothing is turned on'
code=0
output=$(as_certprov check 2>&1) || code=$?
like "$code $output" '^78 .*certprov.conf: .*missing' 'before it is configured, it says what lacks'

# --- configure: what is a comment becomes a setting

front_port=$(free_port)
front_http_port=$(free_port)
front_url=https://localhost:$front_port/certprov
ok 'a gateway' eg_start

# configure_at FOLDER: its certprov.conf, for the gateway, with the secrets
configure_at()
{
	local secret

	sed -i -e "s|^#url = .*|url = $eg_url|; s|^#key = .*|key = ec-p256|; s|^#mail =|mail =|; s|^#subject =|subject =|" \
		-e "/^\[escrow\]/,/^\[store\]/s|^#\([a-z]\)|\1|" "$tree$1/certprov.conf"
	for secret in certificate.pfx certificate.password eg-ca.pem p12.password uem.users; do
		install -m 0640 "${conf%/*}/$secret" "$tree$1/$secret"
	done
	in_tree chgrp -R --reference="$1" "$1"
}

configure_at /etc/certprov
ok 'certprov init' as_certprov init --subject 'CN=Example S/MIME CA,O=Example'
pki_ca front-ca
pki_server front front-ca localhost
install -D -m 0644 "$pki/front.crt" "$tree/etc/ssl/certs/certprov.pem"
install -D -m 0600 "$pki/front.key" "$tree/etc/ssl/private/certprov.key"
rm -f "$tree/etc/nginx/sites-enabled/default"
sed -i -e "/listen \[::\]/d; s|listen 443|listen 127.0.0.1:$front_port|" \
	-e "s|listen 80;|listen 127.0.0.1:$front_http_port;|; s|certprov.example.com|localhost|" \
	"$tree/etc/nginx/sites-available/certprov"
ln -s ../sites-available/certprov "$tree/etc/nginx/sites-enabled/certprov"

# --- run

ok 'systemd comes up in a container' boot
[[ -n $init ]] || skip_all "systemd does not come up in a container: $(tail -n 1 "$root/machine.log")"
ok 'certprov check' inside_certprov check
ok 'service and timers are turned on' inside systemctl enable --now certprov.service \
	certprov-deliver.timer certprov-renew.timer certprov-crl.timer
ok 'the socket is there with the service' inside systemctl is-active certprov.socket
is "$(inside stat --format='%a %U:%G' /run/certprov/certprov.sock)" '660 certprov:www-data' \
	'... for the web server'
post_event "$sample_event"
is "$status $(jq -r .status "$answer.body")" '202 delivered' 'an event is answered'
is "$(eg_upload_count)" 1 '... after its upload'
id=$(header X-Request-Id)
journal_has()
{
	inside journalctl --unit="$1" --no-pager | grep -q -e "$2"
}
of_request()
{
	[[ $(inside journalctl --output=json --no-pager "CERTPROV_REQUEST=$id" |
		jq -s 'any(.PRIORITY == "6" and (.CERTPROV_OUTCOME == "ok"))') == true ]]
}
ok '... and its line is in the journal, with priority and fields' wait_for 60 of_request
is "$(inside journalctl --unit=certprov.service --no-pager --output=cat | grep -c 'outcome=ok')" 1 '... once'
is "$(inside sh -c "grep -hE '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/$(property certprov.service MainPID)/status" |
	tr -d '\n\t ')" CapEff:0000000000000000CapBnd:0000000000000000NoNewPrivs:1Seccomp:2 'it has no rights'
is "$(inside journalctl --unit=certprov.service --priority=warning --quiet --no-pager)" '' 'nothing was denied to it'
ok 'it is reloaded' inside systemctl reload certprov.service
ok '... and reads the configuration' wait_for 60 journal_has certprov.service 'was read anew'

# A configuration that is wrong: all errors are named, and what runs goes on.
cp "$tree/etc/certprov/certprov.conf" "$root/right.conf"
printf '[log]\nlevel = chatty\nnonsense = 1\n' >>"$tree/etc/certprov/certprov.conf"
not_ok 'a reload with a wrong configuration fails' inside systemctl reload certprov.service
like "$(inside journalctl --unit=certprov.service --no-pager --output=cat)" \
	'level: expected one of.*unknown key "nonsense"' '... with each error'
post_event "$sample_event"
is "$status" 202 '... and the handler goes on'
not_ok 'a restart with it fails, too' inside systemctl restart certprov.service
cp "$root/right.conf" "$tree/etc/certprov/certprov.conf"
ok '... and with a right one it does not' inside systemctl restart certprov.service
is "$(property certprov.service ActiveState) $(property certprov.service Type)" 'active notify' '... as it says so itself'
ok 'check says that all is on' inside_certprov check --web-server none
inside systemctl stop certprov-renew.timer
like "$(inside_certprov check --web-server none 2>&1)" 'WARN +services: certprov-renew\.timer is off' \
	'... and which timer is not'
inside systemctl start certprov-renew.timer

# A command as its timer runs it.
for command in deliver renew crl; do
	if ! inside_certprov "$command" --help >/dev/null 2>&1; then
		skip "certprov-$command.service" "certprov $command is not there yet"
		continue
	fi
	ok "certprov-$command.service does its work" inside systemctl start "certprov-$command.service"
	is "$(property "certprov-$command.timer" ActiveState)" active '... and its timer runs'
done
is "$(mode /var/lib/certprov/ca.crl)" '644 certprov:certprov' 'the revocation list is a file'

# --- restarts and upgrades under load

more_answers_than()
{
	(($(wc -l <"$posted") > $1))
}

# feed FILE...: posts them, and again, until there is $root/enough
feed()
{
	local i

	while :; do
		for ((i = 1; i <= $#; i += 10)); do
			[[ ! -e $root/enough ]] || return 0
			post_many 2 "${@:i:10}"
		done
	done
}

is_another_run()
{
	[[ $(property certprov.service ActiveState) == active &&
		$(property certprov.service InvocationID) != "$1" ]]
}

# What counts is that the service runs anew. In a container on a busy machine systemd now and then
# fails to set a process up; it then tries again by itself, as it would elsewhere.
restart()
{
	local run

	run=$(property certprov.service InvocationID)
	inside systemctl restart certprov.service ||
		inside journalctl --no-pager -n 20 -u certprov.service || true
	wait_for 60 is_another_run "$run"
}

# under_load TAG EACH TIMES NAME COMMAND...: COMMAND so many times, whenever so many events more have
# been answered; they come before it, meanwhile and after it
under_load()
{
	local tag=$1 each=$2 times=$3 name=$4 begun feeder i done=0

	shift 4
	events "$tag" 300 300
	begun=$(wc -l <"$posted")
	rm -f "$root/enough"
	feed "$root/$tag"/??? &
	feeder=$!
	for ((i = 1; i <= times; i++)); do
		wait_for 300 more_answers_than $((begun + i * each)) || true
		! "$@" >>"$root/under-load.log" 2>&1 || done=$((done + 1))
	done
	wait_for 300 more_answers_than $((begun + (times + 1) * each)) || true
	touch "$root/enough"
	wait "$feeder"
	tail -n "+$((begun + 1))" "$posted" >"$root/came"
	is "$done" "$times" "$name, $times times while events come"
	ok "... $((times * each)) of them or more" more_answers_than $((begun + times * each))
	is "$(cut -d ' ' -f 1 "$root/came" | sort -u)" 202 '... each is answered 202: no 502, no 503'
	is "$(inside_certprov list uploads --state delivered --json |
		jq --arg tag "$tag" '[.[] | select(.device_uuid | startswith($tag))] | length')" \
		"$(cut -d ' ' -f 3 "$root/came" | sort -u | wc -l)" '... none is lost'
}

# Forth and back, so that the newer version is the last.
upgrade_or_back()
{
	local deb=new

	[[ $(installed_version) == 0.0.1 ]] || deb=old
	inside dpkg --install "/root/$deb.deb"
}

socket_since=$(property certprov.socket ActiveEnterTimestampMonotonic)
settings_before=$(sha256sum "$tree/etc/certprov/"*)
under_load 0badcaf 40 5 'systemctl restart' restart
process=$(property certprov.service MainPID)
under_load 0facade 50 3 'an upgrade or its way back' upgrade_or_back
is "$(installed_version)" "$version" 'the newer version is there'
isnt "$(property certprov.service MainPID)" "$process" '... and runs'
is "$(property certprov.socket ActiveEnterTimestampMonotonic)" "$socket_since" 'the socket was never closed'
is "$(sha256sum "$tree/etc/certprov/"*)" "$settings_before" 'the configuration is as it was'
is "$(mode /etc/certprov) $(mode /etc/certprov/certprov.conf)" '750 root:certprov 640 root:certprov' \
	'... and whose it was'
is "$(inside_certprov status --json | jq .devices)" \
	$((1 + $(cut -d ' ' -f 3 "$posted" | sort -u | wc -l))) 'and so is the store'

# --- secrets that only root can read, as doc/systemd.md says

secrets=(certificate.pfx certificate.password p12.password uem.users)
mkdir -m 0700 "$tree/etc/certprov-secrets"
for unit in certprov.service certprov-deliver.service; do
	mkdir "$tree/etc/systemd/system/$unit.d"
	sed -n '/^\[Service\]/,/^$/p' "$top_srcdir/doc/systemd.md" | sed '/^```/d' \
		>"$tree/etc/systemd/system/$unit.d/credentials.conf"
done
for secret in "${secrets[@]}"; do
	install -m 0600 "$tree/etc/certprov/$secret" "$tree/etc/certprov-secrets/$secret"
	rm "$tree/etc/certprov/$secret"
	sed -i "s|= $secret\$|= /run/certprov-secrets/$secret|" "$tree/etc/certprov/certprov.conf"
done
inside systemctl daemon-reload
ok 'with secrets from systemd it starts' inside systemctl restart certprov.service
event_json device="$(new_uuid)" >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 '... and answers'
ok '... and so does what a timer runs' inside systemctl start certprov-deliver.service
not_ok '... but nobody else sees them' inside runuser -u certprov -- ls /run/certprov-secrets/p12.password

# --- a tenant, as doc/systemd.md says

inside adduser --system --group --quiet --home /var/lib/certprov-acme --no-create-home certprov-acme
inside chmod o+x /etc/certprov
inside install -d -m 0750 -o root -g certprov-acme /etc/certprov/acme
inside install -d -m 0700 -o certprov-acme -g certprov-acme /var/lib/certprov-acme
sed 's|/var/lib/certprov/|/var/lib/certprov-acme/|' "$top_srcdir/contrib/debian/certprov.conf" \
	>"$tree/etc/certprov/acme/certprov.conf"
configure_at /etc/certprov/acme
acme()
{
	inside runuser -u certprov-acme -- certprov -c /etc/certprov/acme/certprov.conf "$@"
}
ok "a tenant's certprov init" acme init --subject 'CN=Acme S/MIME CA'
ok "a tenant's service and timer" inside systemctl enable --now certprov@acme.service certprov-deliver@acme.timer
by_socket()
{
	CONTENT_LENGTH=0 REQUEST_METHOD=GET PATH_INFO=/healthz \
		cgi-fcgi -bind -connect "/proc/$init/root/run/certprov/acme.sock" | grep -q 'Status: 200'
}
ok '... which answers at a socket of its own' wait_for 60 by_socket
is "$(acme status --json | jq .devices)" 0 '... from a store of its own'
is "$(inside stat --format='%U' "/proc/$(property certprov@acme.service MainPID)")" certprov-acme \
	'... as a user of its own'
not_ok "... who cannot read another's files" \
	inside runuser -u certprov-acme -- cat /etc/certprov/certprov.conf
ok "... and its deliver" inside systemctl start certprov-deliver@acme.service

# --- while the new programs are there and the old handler still runs

timers_on()
{
	inside systemctl list-units --plain --no-legend --state=active 'certprov-*.timer' |
		cut -d ' ' -f 1 | sort | tr '\n' ' '
}

inside systemctl stop certprov-crl.timer
on='certprov-deliver.timer certprov-deliver@acme.timer certprov-renew.timer '
is "$(timers_on)" "$on" 'three timers are on, one is off'
process=$(property certprov.service MainPID)
process_acme=$(property certprov@acme.service MainPID)
ok 'an upgrade unpacks the new programs' inside dpkg --unpack /root/new.deb
is "$(timers_on)" '' '... no timer runs them'
is "$(property certprov.service MainPID)" "$process" '... while the old handler serves'
ok '... then it configures them' inside dpkg --configure certprov
isnt "$(property certprov.service MainPID)" "$process" '... the new handler runs'
isnt "$(property certprov@acme.service MainPID)" "$process_acme" "... and the tenant's"
is "$(timers_on)" "$on" '... and the timers that were on'
head -c -1000 "$tree/root/new.deb" >"$tree/root/cut.deb"
not_ok 'an upgrade that fails' inside dpkg --unpack /root/cut.deb
is "$(timers_on)" "$on" '... leaves the same timers on'

# --- remove and purge

ok 'it is removed' inside apt-get -qq remove certprov
is "$(inside systemctl list-units --plain --no-legend --state=active 'certprov*')" '' '... and nothing of it runs'
ok '... and the store stays' test -s "$tree/var/lib/certprov/certprov.db"
ok '... and the configuration' test -s "$tree/etc/certprov/certprov.conf"
is "$(inside apt-get -qq purge certprov 2>&1 | grep -c 'is kept; remove it yourself')" 2 \
	'a purge says what it leaves behind'
ok '... which is the store' test -s "$tree/var/lib/certprov/certprov.db"
ok '... its master key' test -s "$tree/var/lib/certprov/store.key"
not_ok '... and not what came with the package' test -e "$tree/etc/certprov/certprov.conf"
ok '... so that nginx takes its configuration' in_tree nginx -t
ok 'it can be installed again' inside dpkg --install /root/new.deb
is "$(mode /var/lib/certprov)" '700 certprov:certprov' '... over the store that was kept'
rm -r "$tree/var/lib/certprov" "$tree/etc/certprov/acme" "$tree/etc/certprov/eg-ca.pem"
mkdir "$tree/var/lib/certprov"
is "$(inside apt-get -qq purge certprov 2>&1 | grep -c 'is kept')" 0 'a purge of what was never set up'
not_ok '... leaves no folder' ls -d "$tree/var/lib/certprov" "$tree/etc/certprov"

machine_stop
done_testing

#!/bin/bash
# README.md's steps in a fresh Debian 13 that systemd runs, from git clone to an enrollment.

suite=trixie
. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-pages.sh
. "$top_srcdir/tests/system/lib-pages.sh"
# shellcheck source=tests/package/lib-tree.sh
. "$top_srcdir/tests/package/lib-tree.sh"
# shellcheck source=tests/package/lib-words.sh
. "$top_srcdir/tests/package/lib-words.sh"

# step NAME COMMAND...: how long it took, too
step()
{
	local started=$SECONDS

	ok "$@"
	diag "in $((SECONDS - started)) s"
}

make_tree curl git nginx-light systemd systemd-sysv || no_tree
ok 'a gateway' eg_start
values_are_known
rm -f "$tree/etc/nginx/sites-enabled/default"
ok 'a fresh machine' boot
[[ -n $init ]] || skip_all "systemd does not come up in a container: $(tail -n 1 "$root/machine.log")"
is "$(grep -oP '^VERSION_ID="\K[0-9]+' "$tree/etc/os-release")" 13 '... is Debian 13'

step 'the sources are cloned' cloned
built
step 'install' follow README.md install
step 'configure' configuration_written
step 'init, check' follow README.md init
step 'start' follow README.md start
own_server
step 'nginx takes it' follow README.md nginx-reload
delivered 'a device enrolls'
ok 'is it right?' follow doc/nginx.md right
like "$(<"$root/output")" '^OK.*HTTP/[12.]+ 403.*ok +web server' 'it is'
ok 'deliver' inside systemctl start certprov-deliver.service
is "$(inside journalctl --quiet --no-pager --priority=warning --unit=certprov.service)" '' \
	'the journal has no warning of it'

machine_stop
done_testing

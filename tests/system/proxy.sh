#!/bin/bash
# CA, gateway and UEM behind an HTTP proxy, a real one: each is reached by a tunnel through it, and
# by nothing else.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

tinyproxy=$(PATH=$PATH:/usr/sbin:/sbin command -v tinyproxy || true)
[[ -n $tinyproxy ]] || skip_all 'no tinyproxy here'

# proxy_start PORT...: tunnels to those ports alone
proxy_start()
{
	proxy_port=${proxy_port:-$(free_port)}
	{
		printf 'Port %d\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n' "$proxy_port"
		printf 'LogFile "%s"\nLogLevel Connect\nPidFile "%s"\n' "$root/tunnels" "$root/proxy.pid"
		printf 'ConnectPort %d\n' "$@"
	} >"$root/proxy.conf"
	rm -f "$root/proxy.pid"
	start proxy "$tinyproxy" -d -c "$root/proxy.conf"
	wait_for 60 curl --silent --output /dev/null "http://127.0.0.1:$proxy_port"
}

# tunnels_to URL: how many there were
tunnels_to()
{
	grep -c "CONNECT ${1#https://} " "$root/tunnels" || true
}

enroll()
{
	local user

	user=$(new_uuid) device=$(new_uuid)
	uem_user "$user" "${user%%-*}" "${user%%-*}@example.com"
	uem_device "$device" "$user"
	event_json "device=$device" "user=$user" "mail=${user%%-*}@example.com" >"$root/event.json"
	post_event "$root/event.json"
}

is_delivered()
{
	certprov deliver --now >>"$root/deliver.log" 2>&1 || true
	[[ $(certprov list events --device "$device" --json | jq -r '.[0].state') == delivered ]]
}

workers=2
ok 'UEM runs' uem_start
uem_configure
ok 'a CA runs' ca_start
mapfile -t settings_of_ca < <(ca_settings est)
configure "${settings_of_ca[@]}"
ok 'everything else runs' world
proxy_port=
ok 'a proxy runs' proxy_start "$eg_port" "$uem_port" "$ca_port"

# The environment's proxy is nobody's.
handler_stop >/dev/null
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9
ok 'with a proxy in the environment' handler_start
unset http_proxy https_proxy ALL_PROXY
enroll
is "$status" 202 'it is not used'
is "$(tunnels_to "$uem_url") $(tunnels_to "$ca_url") $(tunnels_to "$eg_url")" '0 0 0' \
	'... nor the one that runs'

for section in uem ca escrow; do
	configure "$section.proxy=http://127.0.0.1:$proxy_port"
done
handler_stop >/dev/null
ok 'with proxies in the configuration' handler_start
enroll
is "$status" 202 'an enrollment through them'
ok '... UEM was reached by a tunnel' test "$(tunnels_to "$uem_url")" -gt 0
ok '... and the CA' test "$(tunnels_to "$ca_url")" -gt 0
ok '... and the gateway' test "$(tunnels_to "$eg_url")" -gt 0

# --- a proxy that refuses, and one that is away

stop proxy || true
ok 'a proxy that refuses the gateway' proxy_start "$uem_port" "$ca_port"
handler_renew
enroll
is "$status" 503 'puts an enrollment off'
stop proxy || true
handler_renew
enroll
is "$status" 503 'so does a proxy that is away'
ok 'it is back' proxy_start "$eg_port" "$uem_port" "$ca_port"
ok '... and what was put off is finished' wait_for 120 is_delivered

done_testing

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# The simulated UEM: for tests that source it behind lib.sh.
#
#   uem_start [NAME]         starts it; with certificate $pki/NAME.crt (default uem-server) from CA
#                            "uem-ca"; $uem is its folder, $uem_url its URL
#   uem_stop                 stops it; uem_start takes the same port again
#   uem_configure            [uem] for it: OAuth, confirm as it is by default
#   uem_user UUID NAME MAIL [MEMBER...]    a user; MEMBER is JSON: '"staging": true'
#   uem_device UUID USER-UUID [STATUS]     a device, Enrolled by default; replaces an earlier one
#   uem_forget UUID          the device is gone
#   uem_set NAME TEXT        a file of its state, see tests/peers/uem-server.c; no TEXT: none
#   uem_script ROOM ORDER... orders for the next requests of a room (token, devices, users, search)
#   uem_mode ROOM [ORDER]    the order for all others
#   uem_log [FILTER]         its log through jq, compact
#   uem_calls [ROOM-PATH]    how many requests it has had, whose path begins so

uem=$root/uem
uem_url=
uem_port=

uem_setup()
{
	local room

	for room in token devices users search; do
		mkdir -p "$uem/state/orders/$room"
	done
	mkdir -p "$uem/tmp" "$uem/state/tokens"
	: >"$uem/state/devices"
	: >"$uem/state/users"
	uem_set client 'certprov secret&of=the client'
	uem_set admin 'api password of the API'
	uem_set tenant 'TENANT+CODE/1='
	pki_ca uem-ca
	pki_server uem-server uem-ca localhost
}

uem_start()
{
	[[ -d $uem ]] || uem_setup
	start uem-program "$top_builddir/tests/peers/uem-server" -s "$uem/peer.sock" -d "$uem/state"
	wait_ready uem-program -S "$uem/peer.sock" || return 1
	peer_nginx_start "$uem" "$uem_port" "${1:-uem-server}" || return 1
	uem_port=$peer_port
	uem_url=https://localhost:$peer_port
}

uem_stop()
{
	stop uem-nginx || true
	stop uem-program || true
	rm -f "$uem/peer.sock"
}

uem_configure()
{
	local dir=${conf%/*}

	mkdir -p "$dir"
	(
		umask 077
		printf 'secret&of=the client\n' >"$dir/uem.secret"
		printf 'password of the API\n' >"$dir/uem.password"
		printf 'TENANT+CODE/1=\n' >"$dir/uem.tenant"
		cp "$pki/uem-ca.crt" "$dir/uem-ca.pem"
	)
	configure "uem.url=$uem_url" "uem.token-url=$uem_url/connect/token" uem.client-id=certprov \
		uem.client-secret-file=uem.secret uem.tenant-code-file=uem.tenant \
		uem.ca-file=uem-ca.pem
}

# Numbers follow from the UUID, so that they are the same each time.
uem_number()
{
	printf '%d\n' $((16#${1:0:6} + 1))
}

uem_user()
{
	local uuid=$1 name=$2 mail=$3

	shift 3
	uem_replace users "$uuid" "$(jq -nc --arg uuid "$uuid" --arg name "$name" --arg mail "$mail" \
		--argjson id "$(uem_number "$uuid")" \
		"{uuid: \$uuid, id: \$id, name: \$name, mail: \$mail} + {$(
			IFS=,
			printf '%s' "$*"
		)}")"
}

uem_device()
{
	uem_replace devices "$1" "$(jq -nc --arg uuid "$1" --arg user "$2" \
		--arg status "${3:-Enrolled}" --argjson id "$(uem_number "$1")" \
		'{uuid: $uuid, id: $id, user: $user, status: $status, name: "a device"}')"
}

uem_forget()
{
	uem_replace devices "$1" ''
}

uem_replace()
{
	grep -v "\"uuid\":\"$2\"" "$uem/state/$1" >"$uem/state/$1.new" || true
	[[ -z $3 ]] || printf '%s\n' "$3" >>"$uem/state/$1.new"
	mv "$uem/state/$1.new" "$uem/state/$1"
}

uem_set()
{
	if (($# > 1)); then
		printf '%s\n' "$2" >"$uem/state/$1"
	else
		rm -f "$uem/state/$1"
	fi
}

uem_script()
{
	local room=$1

	shift
	(
		flock 9
		printf '%s\n' "$@" >>"$uem/state/orders/$room/script"
	) 9>>"$uem/state/orders/$room/lock"
}

uem_mode()
{
	local room=$1

	shift
	printf '%s\n' "$*" >"$uem/state/orders/$room/mode.new"
	mv "$uem/state/orders/$room/mode.new" "$uem/state/orders/$room/mode"
}

uem_log()
{
	[[ ! -e $uem/state/log ]] || jq -rc "${1:-.}" "$uem/state/log"
}

uem_calls()
{
	uem_log "select(.path | startswith(\"${1:-/}\")) | .path" | wc -l
}

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# The simulated Escrow Gateway: the test library's fourth part.
#
#   eg_start [NAME]     starts it; with certificate $pki/NAME.crt (default eg-server) from CA "eg-ca"
#   eg_stop             stops it; eg_start takes the same port again
#   eg_list NAME...     puts $pki/NAME.crt on the list of client certificates (SHA-256)
#   eg_unlist           empties the list
#   eg_script ORDER...  appends orders, an upload each ("429 7", "hang 5", "cut", …: see
#                       tests/peers/escrow-state.h)
#   eg_gate slow|late|hang   an order for one upload, which waits until eg_open
#   eg_held             waits until that upload has come
#   eg_open
#   eg_mode [ORDER]     the order for all other requests; without one: none
#   eg_log [FILTER]     its log through jq, compact; eg_log 'select(.status != 200) | .text'
#   eg_upload_count     how many uploads it has accepted
#   eg_uploads_of DEVICE   how many of that device
#   eg_upload [N]       path of the Nth accepted one (default: the last)
#   eg_pkcs12 N PART [INDEX]   the PKCS#12 file of an upload, e.g. `eg_pkcs12 1 signing`,
#                       on standard output; read it with eg_openssl
#   eg_openssl ARGS...  `openssl pkcs12 -passin …` with the simulator's password
#
#   eg_of NAME COMMAND...   the same with another one that has the same clients and PKCS#12
#                       password: `eg_of eg2 eg_start`; its URL is ${eg_urls[eg2]}
#
# $eg_password, the PKCS#12 files' password, may be set before this is sourced.
# $eg is its folder, $eg_url its URL, $eg_port its port. eg_keepalive=SECONDS before
# eg_start sets how long it keeps connections, eg_kestrel=yes makes it say what is wrong as ASP.NET
# Core on Kestrel does, eg_plain=yes expects PKCS#12 files without a password, eg_edit is a sed command for its nginx.conf.

eg_password=${eg_password:-password of the PKCS#12 files}
eg_port=
eg_url=
declare -A eg_urls=()

eg_setup()
{
	eg=$root/eg
	mkdir -p "$eg/state/uploads" "$eg/tmp"
	printf '%s\n' "$eg_password" >"$eg/p12.password"
	chmod 600 "$eg/p12.password"
	: >"$eg/thumbprints"
	pki_ca eg-ca
	pki_server eg-server eg-ca localhost
}

eg_start()
{
	local -a options=(-p "$eg/p12.password")
	local peer_keepalive=${eg_keepalive:-75}

	[[ -z ${eg_plain:-} ]] || options=()
	start "${eg##*/}-program" "$top_builddir/tests/peers/escrow-gateway" -s "$eg/peer.sock" \
		-d "$eg/state" -t "$eg/thumbprints" "${options[@]}" ${eg_kestrel:+-K} -w "${eg_workers:-16}"
	wait_ready "${eg##*/}-program" -S "$eg/peer.sock" || return 1
	peer_nginx_start "$eg" "$eg_port" "${1:-eg-server}" ${eg_edit:+-e "$eg_edit"} || return 1
	eg_port=$peer_port
	eg_url=https://localhost:$peer_port
}

eg_stop()
{
	stop "${eg##*/}-nginx" || true
	stop "${eg##*/}-program" || true
	rm -f "$eg/peer.sock"
}

eg_of()
{
	local name=$1 first=$eg code=0
	local eg=$root/$1 eg_url=${eg_urls[$1]:-}
	local eg_port=${eg_url##*:}

	shift
	[[ -d $eg ]] || {
		mkdir -p "$eg/state/uploads" "$eg/tmp"
		cp "$first/p12.password" "$first/thumbprints" "$eg"
	}
	"$@" || code=$?
	eg_urls[$name]=$eg_url
	return "$code"
}

eg_list()
{
	local name

	for name; do
		thumbprint "$name" >>"$eg/thumbprints"
	done
}

eg_unlist()
{
	: >"$eg/thumbprints"
}

# Under the simulator's own lock: it rewrites the file when it takes a line.
eg_script()
{
	(
		flock 9
		printf '%s\n' "$@" >>"$eg/state/script"
	) 9>>"$eg/state/lock"
}

eg_gate()
{
	rm -f "$eg/state/held" "$eg/state/open"
	eg_script "$1 gate"
}

eg_held()
{
	wait_for 120 test -e "$eg/state/held"
}

eg_open()
{
	: >"$eg/state/open"
}

eg_mode()
{
	printf '%s\n' "$*" >"$eg/state/mode.new"
	mv "$eg/state/mode.new" "$eg/state/mode"
}

eg_log()
{
	[[ ! -e $eg/state/log ]] || jq -rc "${1:-.}" "$eg/state/log"
}

eg_upload_count()
{
	find "$eg/state/uploads" -name '*.json' | wc -l
}

eg_uploads_of()
{
	eg_log 'select(.status == 200) | .device' | grep -cFx "$1" || true
}

eg_upload()
{
	printf '%s/state/uploads/%04d.json\n' "$eg" "${1:-$(eg_upload_count)}"
}

eg_pkcs12()
{
	jq -r --arg part "$2" --argjson index "${3:-0}" '.smime_certificates[$part][$index]' \
		"$(eg_upload "$1")" | base64 -d
}

eg_openssl()
{
	openssl pkcs12 -passin "file:$eg/p12.password" "$@"
}

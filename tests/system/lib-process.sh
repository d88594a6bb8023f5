# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# Processes, ports and waiting: the test library's second part.
#
#   start NAME COMMAND...    in the background; its output goes to $root/NAME.log
#   stop NAME [SIGNAL]       SIGTERM unless told otherwise, KILL after 15 s; gives its status
#   running NAME
#   gone PID...              none of them runs
#   wait_for SECONDS COMMAND...   polls until COMMAND succeeds; SECONDS are those of an idle machine,
#                            a busy one gets three times as many
#   wait_ready NAME -S|-s|-e FILE   until that file is there; fails if the process ends before
#   free_port                prints a TCP port of 127.0.0.1 that nobody listens on
#   nginx_start NAME DIR     runs nginx on DIR/nginx.conf and waits until it listens
#   peer_nginx_start DIR PORT CERTIFICATE [SED-ARGUMENT...]   the same with tests/peers/peer.nginx:
#                            TLS before a peer's DIR/peer.sock. PORT '': a free one. Sets
#                            $peer_port. $peer_keepalive: seconds

declare -A pids=()

start()
{
	local name=$1

	shift
	"$@" </dev/null >>"$root/$name.log" 2>&1 &
	pids[$name]=$!
}

running()
{
	[[ -n ${pids[$1]:-} ]] && kill -0 "${pids[$1]}" 2>/dev/null
}

stop()
{
	local name=$1 pid=${pids[$1]:-} code=0

	[[ -n $pid ]] || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null || true
	wait_for 60 stopped "$name" || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || code=$?
	unset "pids[$name]"
	return "$code"
}

stop_everything()
{
	local name

	for name in "${!pids[@]}"; do
		stop "$name" || true
	done
}

stopped()
{
	! running "$1"
}

# The kernel is asked, too: a process that adopts orphans may be slow to wait for them.
gone()
{
	local pid

	for pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

wait_for()
{
	local deadline=$((SECONDS + 3 * $1 + 1))

	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

ready_or_gone()
{
	test "$2" "$3" || stopped "$1"
}

wait_ready()
{
	wait_for 60 ready_or_gone "$@" && running "$1"
}

# Below the range that the kernel takes for outgoing connections.
free_port()
{
	local port

	while :; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	printf '%d\n' "$port"
}

# Root's nginx would give up its rights to nobody, who may not enter $root; nginx_as: to a
# user who may.
nginx_user()
{
	if ((EUID == 0)); then
		printf 'user %s;' "${nginx_as:-root root}"
	fi
}

nginx_start()
{
	local name=$1 dir=$2

	rm -f "$dir/nginx.pid"
	mkdir -p "$dir/tmp"
	start "$name" "$nginx" -p "$dir" -c "$dir/nginx.conf" -e "$dir/nginx.log"
	wait_ready "$name" -s "$dir/nginx.pid"
}

# The one failure that another try may fix; otherwise shows what nginx says.
port_was_taken()
{
	local last

	last=$(tail -n 3 "$1/nginx.log")
	[[ $last == *'Address already in use'* ]] || {
		printf '%s\n' "$last" >&2
		return 1
	}
}

peer_nginx_start()
{
	local dir=$1 port=$2 certificate=$3

	shift 3
	for _ in 1 2 3 4 5; do
		peer_port=${port:-$(free_port)}
		sed -e "s|@USER@|$(nginx_user)|; s|@DIR@|$dir|; s|@PORT@|$peer_port|" \
			-e "s|@KEEPALIVE@|${peer_keepalive:-75}|" \
			-e "s|@CERT@|$pki/$certificate.crt|; s|@KEY@|$pki/$certificate.key|" "$@" \
			"$top_srcdir/tests/peers/peer.nginx" >"$dir/nginx.conf"
		! nginx_start "${dir##*/}-nginx" "$dir" || return 0
		port_was_taken "$dir" || return 1
	done
	return 1
}

#!/bin/bash
# What an enrollment costs, through a real nginx to a simulated Escrow Gateway over mutual TLS: rate,
# latency, CPU of the handler, the time of each step, and all of it as a ratio to the bare cost of making
# one RSA-2048 key on this machine, measured in the same run. Run it from the build folder:
#
#	make bench            or: tests/bench/enroll.sh [EVENTS]
#
# A ratio is what to compare: the rest is the machine's.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
tap_done=yes # no test: nothing to count

events=${1:-100}
load=$(program tests/bench/load)
keygen=$(program tests/bench/keygen)
ticks=$(getconf CLK_TCK)

# /proc/PID/stat behind the name: 0 state, 11 and 12 ticks of user and system, 38 scheduling policy.
stat_of()
{
	read -ra field <<<"$(sed 's/.*) //' "/proc/$1/stat")"
}

# The workers, without the process that makes keys ahead: that one is SCHED_IDLE.
workers_now()
{
	local pid
	local -a field

	for pid in $(pgrep -P "${pids[handler]}"); do
		stat_of "$pid"
		((field[38] == 5)) || echo "$pid"
	done
}

pool_is_full()
{
	local pid
	local -a field

	for pid in $(pgrep -P "${pids[handler]}"); do
		stat_of "$pid"
		((field[38] != 5)) || [[ ${field[0]} == S ]] || return 1
	done
}

# Milliseconds of CPU that the workers have used.
workers_cpu()
{
	local pid total=0
	local -a field

	for pid in $(workers_now); do
		stat_of "$pid"
		total=$((total + field[11] + field[12]))
	done
	echo $((total * 1000 / ticks))
}

largest_worker()
{
	local pid

	for pid in $(workers_now); do
		awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
	done | sort -n | tail -n 1
}

# Mean milliseconds of each step, from the handler's own log lines.
step_times()
{
	awk '/ outcome=ok / {
		for (i = 1; i <= NF; i++) {
			if ($i !~ /^[a-z]+=([a-z]+:)?[0-9.]+ms$/) continue
			split($i, part, "=")
			sub(/^.*:/, "", part[2])
			if (!(part[1] in sum)) order[++steps] = part[1]
			sum[part[1]] += part[2]
			n[part[1]]++
		}
	} END {
		for (i = 1; i <= steps; i++)
			printf "%s %.1f  ", order[i], sum[order[i]] / n[order[i]]
		print ""
	}' "$root/handler.log"
}

# post COUNT CONCURRENCY
post()
{
	"$load" "$front_url/events" "$pki/front-ca.crt" "$credentials" "$1" "$2" "$1"
}

# One line: COUNT posts, CONCURRENCY at a time. keys: how many of the ratio are bare keys.
measure()
{
	local count=$1 concurrency=$2 keys=$3 before after result

	handler_start
	post 20 10 >"$root/warm.log" # every worker has its connection
	wait_for 120 pool_is_full
	: >"$root/handler.log"
	before=$(workers_cpu)
	result=$(post "$count" "$concurrency")
	after=$(workers_cpu)
	awk -v r="$result" -v c="$concurrency" -v cpu=$((after - before)) -v n="$count" \
		-v one="$key_ms" -v keys="$keys" 'BEGIN {
			split(r, field, /[ =]/)
			for (i = 1; i in field; i += 2) v[field[i]] = field[i + 1]
			printf "%4d %9s %9s %9s %10.2f %8.2f %12.2f\n", c, v["per_second"], v["p50_ms"],
				v["p99_ms"], cpu / n, cpu / n / one, cpu / n / one - keys
			if (v["ok"] != v["count"]) print "     only " v["ok"] " were accepted"
		}'
	((concurrency != 1)) || printf '     steps, ms: %s\n' "$(step_times)"
	((concurrency != 16)) || printf '     largest worker: %s kB resident\n' "$(largest_worker)"
	handler_stop || true
}

# run NAME KEY-TYPE CA-KEY-TYPE POOL COUNT KEYS: one configuration at 1, 4 and 16 posts at a time.
run()
{
	local concurrency

	rm -f "${conf%/*}"/{ca.*,store.key,certprov.db*}
	workers=5
	configure certificates.key="$2" certificates.key-pool="$4"
	certprov_init --key "$3"
	printf '\n%s: %s keys, %s CA, key pool %s, %s enrollments\n' "$1" "$2" "$3" "$4" "$5"
	printf '%4s %9s %9s %9s %10s %8s %12s\n' at /s 'p50 ms' 'p99 ms' 'CPU ms' ratio 'beyond keys'
	for concurrency in 1 4 16; do
		measure "$5" "$concurrency" "$6"
	done
}

eg_start
configure
certprov_init
front_edit='s/limit_req /# limit_req /' front_start
key_ms=$("$keygen" rsa-2048 200)
printf 'One RSA-2048 key: %s ms of CPU, mean of 200. Ratios are to that.\n' "$key_ms"
printf 'The time of a key varies, so "beyond keys" is exact only where they were made ahead.\n'
run default rsa-2048 rsa-3072 0 "$events" 2
run elliptic ec-p256 ec-p256 0 "$((4 * events))" 0
run 'keys made ahead' rsa-2048 rsa-3072 256 "$((events < 128 ? events : 128))" 0

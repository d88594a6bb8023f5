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

# CPU seconds that the handler, its dead and living workers have used.
handler_cpu()
{
	local pid stat total=0
	local -a field

	for pid in ${pids[handler]} $(pgrep -P "${pids[handler]}"); do
		stat=$(<"/proc/$pid/stat")
		read -ra field <<<"${stat##*) }"
		total=$((total + field[11] + field[12]))
	done
	awk -v t="$total" -v hz="$ticks" 'BEGIN { printf "%.3f", t / hz }'
}

largest_worker()
{
	local pid

	for pid in $(pgrep -P "${pids[handler]}"); do
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

# run NAME KEY-TYPE CA-KEY-TYPE POOL KEYS: one configuration at 1, 4 and 16 posts at a time.
run()
{
	local name=$1 key=$2 ca=$3 pool=$4 keys=$5 concurrency before after result

	rm -f "${conf%/*}"/{ca.*,store.key,certprov.db*}
	workers=5
	configure certificates.key="$key" certificates.key-pool="$pool"
	certprov_init --key "$ca"
	printf '\n%s: %s keys, %s CA, key pool %s\n' "$name" "$key" "$ca" "$pool"
	printf '%4s %9s %9s %9s %10s %8s %12s\n' at /s 'p50 ms' 'p99 ms' 'CPU ms' 'ratio' 'beyond keys'
	for concurrency in 1 4 16; do
		: >"$root/handler.log"
		handler_start
		((pool == 0)) || sleep 5
		"$load" "$front_url/events" "$pki/front-ca.crt" "$credentials" 5 5 5 >"$root/warm.log"
		before=$(handler_cpu)
		result=$("$load" "$front_url/events" "$pki/front-ca.crt" "$credentials" "$events" \
			"$concurrency" "$events")
		after=$(handler_cpu)
		awk -v r="$result" -v c="$concurrency" -v cpu="$(awk "BEGIN { print $after - $before }")" \
			-v n="$events" -v one="$key_ms" -v keys="$keys" 'BEGIN {
				split(r, field, /[ =]/)
				for (i = 1; i in field; i += 2) v[field[i]] = field[i + 1]
				ms = cpu * 1000 / n
				printf "%4d %9s %9s %9s %10.2f %8.2f %12s\n", c, v["per_second"], v["p50_ms"],
					v["p99_ms"], ms, ms / one,
					keys == "" ? "-" : sprintf("%.2f", ms / one - keys)
				if (v["ok"] != v["count"]) print "     only " v["ok"] " were accepted"
			}'
		((concurrency != 1)) || printf '     steps, ms: %s\n' "$(step_times)"
		((concurrency != 16)) || printf '     largest worker: %s kB resident\n' "$(largest_worker)"
		handler_stop || true
	done
}

eg_start
configure
certprov_init
front_edit='s/limit_req /# limit_req /' front_start
key_ms=$("$keygen" rsa-2048 200)
printf 'One RSA-2048 key: %s ms of CPU, mean of 200. Ratios are to that.\n' "$key_ms"
run default rsa-2048 rsa-3072 0 2
run elliptic ec-p256 ec-p256 0 ''
run 'keys made ahead' rsa-2048 rsa-3072 256 ''

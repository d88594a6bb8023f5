# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# A fresh Debian in a folder, and a container that runs it: for tests that source it behind
# tests/system/lib.sh. They need root, Debian, and its archive at the address that apt uses
# here; where one of these lacks, the test is skipped.
#
#   make_tree PACKAGE...   the Debian release $suite (this machine's, unless the test has set it),
#                          minimal, with those packages; nothing of it is started. The minimal one
#                          is kept in ~/.cache/certprov-tests for a week. Log: $root/debootstrap.log
#   in_tree COMMAND...     before it runs: by chroot
#   boot                   runs it, systemd as its first process; only then what is enabled starts
#   run_without_systemd    runs it, with a first process that does nothing
#   inside COMMAND...      in the running container, whose network is ours
#   inside_certprov ARGS...   certprov there, as its user
#   property UNIT NAME     of a unit there
#   mode PATH              there: "MODE USER:GROUP"
#   installed_version      of the package there
#   machine_stop

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/certprov-tests
suite=${suite:-}
tree=$root/tree
machine=certprov-$$
init= # the container's first process
login=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
	DEBIAN_FRONTEND=noninteractive)

# The mirror is this machine's, which has other releases, too.
find_archive()
{
	local ours

	# shellcheck source=/dev/null
	ours=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	: "${suite:=$ours}"
	# shellcheck disable=SC2016 # apt's variables
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v suite="$ours" '$2 == suite && $3 == "main" { print $1; exit }')
	[[ -n $suite && -n $mirror ]]
}

tree_setup()
{
	local tool

	((EUID == 0)) || skip_all 'only root can make a Debian in a folder'
	for tool in debootstrap dpkg-buildpackage lintian nsenter systemd-nspawn; do
		command -v "$tool" >/dev/null ||
			skip_all "no $tool (see package_packages in tests/setup.sh)"
	done
	find_archive || skip_all 'apt knows no archive of the Debian release that runs here'
}

# minimal FILE: as a tar file that is no older than a week. Others may be making it, too.
minimal()
{
	[[ -z $(find "$1" -mtime -7 2>/dev/null) ]] || return 0
	mkdir -p "$cache" &&
		debootstrap --variant=minbase "$suite" "$tree.new" "$mirror" &&
		tar -C "$tree.new" --numeric-owner -cf "$1.$$" . &&
		mv "$1.$$" "$1" && rm -rf "$tree.new"
}

# Nothing starts before systemd does. Whoever is asked by apt says yes.
make_tree()
{
	local kept

	kept=$cache/$suite-$(printf '%s' "$mirror" | cksum | cut -d ' ' -f 1).tar
	{
		minimal "$kept" && mkdir "$tree" &&
			tar -C "$tree" --numeric-owner -xpf "$kept" || return 1
		in_tree apt-get -qq update || return 1
		printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
		chmod 755 "$tree/usr/sbin/policy-rc.d"
		printf 'APT::Get::Assume-Yes "true";\n' >"$tree/etc/apt/apt.conf.d/yes"
		printf '127.0.0.1 localhost\n' >"$tree/etc/hosts"
		in_tree apt-get -qq install --no-install-recommends "$@"
	} >"$root/debootstrap.log" 2>&1
}

no_tree()
{
	skip_all "no Debian in a folder: $(tail -n 1 "$root/debootstrap.log")"
}

in_tree()
{
	chroot "$tree" env -i "${login[@]}" "$@"
}

mode()
{
	in_tree stat --format='%a %U:%G' "$1"
}

# --- the container

# machine_start OPTION... [COMMAND...]. What finds apt's archive in the tree does so in the container.
machine_start()
{
	start machine systemd-nspawn --quiet --register=no --keep-unit --resolv-conf=off \
		--machine="$machine" --directory="$tree" --console=pipe "$@"
	wait_for 180 has_init && [[ -n $init ]]
}

boot()
{
	rm "$tree/usr/sbin/policy-rc.d"
	machine_start --boot && wait_for 180 inside systemctl is-active --quiet multi-user.target
}

# Debian's apache2ctl looks at the first process for systemd, and finds it in that of --as-pid2. This
# one takes away processes that nobody waits for, as each init does.
run_without_systemd()
{
	machine_start sh -c 'trap "exit 0" TERM; while :; do sleep 1; done'
}

# The first process in a name space of its own.
has_init()
{
	local parent pid

	running machine || return 0
	for parent in $(pgrep -P "${pids[machine]}") "${pids[machine]}"; do
		for pid in $(pgrep -P "$parent") "$parent"; do
			if [[ $(awk '/^NSpid:/ { print NF, $3 }' "/proc/$pid/status" 2>/dev/null) == '3 1' ]]; then
				init=$pid
				return 0
			fi
		done
	done
	return 1
}

inside()
{
	nsenter --target "$init" --mount --uts --ipc --pid --cgroup --root --wd -- \
		env -i "${login[@]}" "$@"
}

inside_certprov()
{
	inside runuser -u certprov -- certprov "$@"
}

property()
{
	inside systemctl show --property="$2" --value "$1"
}

installed_version()
{
	inside dpkg-query --show certprov | cut -f 2
}

machine_stop()
{
	stop machine || true
	rmdir "/run/systemd/nspawn/propagate/$machine" 2>/dev/null || true
}

tree_setup

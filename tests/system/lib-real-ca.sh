# shellcheck shell=bash
# shellcheck disable=SC2034,SC2120,SC2154 # the parts of the library share variables
# Real external CAs, for the tests and demo.sh, which source it
# behind lib.sh.
#
#   real_ca NAME         gets and starts that one; where it cannot be had here it fails, and
#                        $real_missing says why
#   real_ca_or_skip NAME the same; the test file is skipped, then
#   real_stop [SIGNAL]   ends its process; real_start starts it again, with all that it had
#   real_names           those that there are
#
# $real is its folder; $real_settings is a list for configure (or world), and $real_title what it
# is, in a few words.
#
# A CA is a file real-ca-NAME.sh, which does nothing when it is sourced, with
#
#   real_packages        a list, if it needs packages that only it needs: demo.sh installs them;
#                        check.sh does only if tests/setup.sh lists them, too
#   real_get             makes sure that its program is there, fetching or building it as needed
#                        (once: it may keep things in fetch_cache's folder); else 1, and why on
#                        standard error
#   real_setup           its keys, certificates and configuration, in $real; sets $real_title
#   real_start           starts it as `start real-ca …` and waits until it answers; sets
#                        $real_settings. Called again after real_stop it takes the same port.
#                        A function that is started must end with exec: else it is not the
#                        program that real_stop ends

# shellcheck source=tests/system/lib-fetch.sh
. "$top_srcdir/tests/system/lib-fetch.sh"

real=$root/real-ca
real_missing=
real_title=
real_settings=()

real_names()
{
	local file

	for file in "$top_srcdir"/tests/system/real-ca-*.sh; do
		file=${file##*/real-ca-}
		printf '%s\n' "${file%.sh}"
	done
}

real_ca()
{
	local file=$top_srcdir/tests/system/real-ca-$1.sh

	[[ -e $file ]] || {
		real_missing="there is no CA named $1"
		return 1
	}
	# shellcheck source=tests/system/real-ca-est.sh
	. "$file"
	mkdir -p "$real"
	real_get 2>"$root/real-ca.why" || {
		real_missing="$1: $(tail -n 1 "$root/real-ca.why")"
		return 1
	}
	if ! real_setup || ! real_start; then
		real_missing="$1: it does not start: $(tail -n 5 "$root/real-ca.log")"
		return 1
	fi
}

# What can be had and does not start is a failure, not a reason to skip.
real_ca_or_skip()
{
	real_ca "$1" && return 0
	[[ $real_missing != *'does not start'* ]] || {
		fail "$real_missing"
		return 1
	}
	skip_all "$real_missing"
}

real_stop()
{
	stop real-ca "$@" || true
}

# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# TAP for bash: the test library's first part, sourced by lib.sh.
#
#   ok NAME COMMAND...       passes when COMMAND succeeds; its output is shown if not
#   not_ok NAME COMMAND...   passes when COMMAND fails
#   silent COMMAND...        for ok: COMMAND succeeds and says nothing
#   is GOT WANT NAME         equal texts
#   isnt GOT OTHER NAME      different texts
#   like GOT REGEX NAME      bash's [[ GOT =~ REGEX ]]
#   unlike GOT REGEX NAME
#   pass NAME, fail NAME     for decisions of your own
#   skip NAME REASON         one test that cannot run here, and why
#   skip_all REASON          the same for the whole file; ends it
#   diag TEXT...             a comment in the output
#   plan N                   optional, at the start
#   done_testing             last line of every test file: without it the file has failed
#
# All of them return 0: a failed test does not end the script. ok and not_ok run
# COMMAND in this shell, so it may start servers and set variables; as always
# behind a condition, `set -e` does not hold inside it.

tap_count=0
tap_failed=0
tap_planned=
tap_done=

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

tap_result()
{
	local result=$1 name=$2

	tap_count=$((tap_count + 1))
	[[ $result == ok ]] || tap_failed=$((tap_failed + 1))
	printf "%s %d - %s\n" "$result" "$tap_count" "$name"
}

pass()
{
	tap_result ok "$1"
}

# Where in the test file it was.
fail()
{
	local i=1

	tap_result 'not ok' "$1"
	while [[ ${BASH_SOURCE[i]:-} == */lib*.sh ]]; do
		i=$((i + 1))
	done
	diag "  at ${BASH_SOURCE[i]##*/} line ${BASH_LINENO[i - 1]}"
}

ok()
{
	local name=$1 code=0

	shift
	"$@" >"$root/output" 2>&1 || code=$?
	if ((code == 0)); then
		pass "$name"
	else
		fail "$name"
		diag "  $* gave $code: $(<"$root/output")"
	fi
}

not_ok()
{
	local name=$1

	shift
	if "$@" >"$root/output" 2>&1; then
		fail "$name"
		diag "  $* succeeded: $(<"$root/output")"
	else
		pass "$name"
	fi
}

silent()
{
	local output code=0

	output=$("$@" 2>&1) || code=$?
	printf '%s\n' "$output"
	[[ $code == 0 && -z $output ]]
}

is()
{
	if [[ $1 == "$2" ]]; then
		pass "$3"
	else
		fail "$3"
		diag "  got  $1"
		diag "  want $2"
	fi
}

isnt()
{
	if [[ $1 != "$2" ]]; then
		pass "$3"
	else
		fail "$3"
		diag "  got $1"
	fi
}

like()
{
	if [[ $1 =~ $2 ]]; then
		pass "$3"
	else
		fail "$3"
		diag "  got  $1"
		diag "  want $2"
	fi
}

unlike()
{
	if [[ ! $1 =~ $2 ]]; then
		pass "$3"
	else
		fail "$3"
		diag "  got  $1"
		diag "  want anything but $2"
	fi
}

skip()
{
	tap_result ok "$1 # SKIP $2"
}

skip_all()
{
	printf '1..0 # SKIP %s\n' "$*"
	tap_done=yes
	exit 0
}

plan()
{
	tap_planned=$1
	printf '1..%d\n' "$1"
}

done_testing()
{
	stop_everything
	sanitizers_are_silent
	[[ -n $tap_planned ]] || printf '1..%d\n' "$tap_count"
	tap_done=yes
	((tap_failed == 0)) || exit 1
}

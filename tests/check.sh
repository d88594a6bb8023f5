#!/bin/bash
# All tests, from a fresh machine to one line: "N passed, N failed".
#
#	tests/check.sh [--keep] [STAGE...]
#
#   lint        shellcheck, mandoc, codespell, clang-format, house rules, SQL's common subset
#   gcc         build with gcc -Werror, make check: unit and system tests
#   clang       build with clang -Werror, unit tests
#   sanitizers  build with ASan and UBSan, make check
#   valgrind    unit tests of the gcc build under valgrind's memcheck
#   distcheck   make distcheck: release, read-only sources, install, uninstall
#   package     the Debian package: built, lintian, run by systemd in a container, purged; what
#               the documentation says, done on fresh machines
#
# Without arguments: all. Installs missing Debian packages (as root), builds in a
# temporary folder that --keep leaves behind, and leaves the source tree alone.

set -euo pipefail
export LC_ALL=C.UTF-8

# shellcheck source=tests/setup.sh
. "$(dirname "$0")/setup.sh"

cores=$(nproc)
keep=
memcheck='valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
no_mistakes=actve,fo,fro,gost,iif,isnt,lsit,nam,nd # to codespell: some are meant, for tests
not_ours='^(\./)?(tests/(data|fuzz/corpus)/|(configure|aclocal\.m4|Makefile\.in|config\.h\.in)$)'
# Left to the sanitizers: what measures time, as everything takes thirty times as long under
# valgrind, asks the kernel what valgrind does not know, or spends a minute in deriving keys, in
# a token's library, or in being killed.
not_valgrind=(escrow fcgi_request http jwk key_pool process sqlite_files sqlite_writers store_race
	store_rekey_killed token)
stages=(lint gcc clang sanitizers valgrind distcheck package)
# Lanes at the same time; valgrind needs what gcc has built.
lanes=('gcc valgrind' 'lint sanitizers' 'package distcheck clang')

usage()
{
	sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

# --- results: a line a test, in $work/STAGE.results

result()
{
	say "$2 $3" >>"$work/$1.results"
}

# What automake's TAP driver has written down. A stage that failed without a failed
# test, or that ran no test, is a failure by itself.
collect()
{
	local stage=$1 build=$2 code=$3

	find "$build" -name '*.trs' -exec sed -n 's/^:test-result: //p' {} + >>"$work/$stage.results"
	find "$build" -name '*.log' -exec sed -n 's/^SKIP: /skipped: /p' {} + >>"$work/$stage.skips"
	if ((code != 0)) && ! grep -qE '^(FAIL|ERROR|XPASS)' "$work/$stage.results"; then
		result "$stage" FAIL "$stage: make"
		show "$work/$stage.log" 60
	elif [[ ! -s $work/$stage.results ]]; then
		result "$stage" FAIL "$stage: no test has run"
	fi
	show_failed "$build"
}

show()
{
	say "--- ${1#"$work"/}"
	{ grep -v '^PASS: ' "$1" || true; } | tail -n "$2"
}

show_failed()
{
	local trs

	find "$1" -name '*.trs' | while read -r trs; do
		if grep -qE '^:test-result: (FAIL|ERROR|XPASS)' "$trs"; then
			show "${trs%.trs}.log" 300
		fi
	done
}

count()
{
	cat "$work"/*.results 2>/dev/null | grep -cE "^($1)( |$)" || true
}

# --- stages

configure_in()
{
	mkdir -p "$1"
	(cd "$1" && "$work/src/configure" --quiet --enable-werror "${@:2}")
}

make_in()
{
	make -C "$1" -s -k -j "$cores" "${@:2}"
}

# build_and_test STAGE TARGET-ARGUMENTS... -- CONFIGURE-ARGUMENTS...
build_and_test()
{
	local stage=$1 code=0
	local -a target=()

	shift
	while [[ $1 != -- ]]; do
		target+=("$1")
		shift
	done
	shift
	{
		configure_in "$work/$stage" "$@" && make_in "$work/$stage" all &&
			make_in "$work/$stage" "${target[@]}"
	} >"$work/$stage.log" 2>&1 || code=$?
	collect "$stage" "$work/$stage" "$code"
}

stage_gcc()
{
	build_and_test gcc check -- CC=gcc
}

stage_clang()
{
	build_and_test clang check-unit -- CC=clang
}

stage_sanitizers()
{
	build_and_test sanitizers check -- CC=clang --enable-sanitizers
}

# In the gcc build, whose own results are collected by then.
stage_valgrind()
{
	local build=$work/gcc code=0 program
	local -a tests=()

	if [[ ! -d $build ]]; then
		{ configure_in "$build" CC=gcc && make_in "$build" check TESTS=; } >"$work/valgrind.log" 2>&1
	fi
	find "$build" -name '*.trs' -delete
	for program in "$build"/tests/unit/*; do
		[[ -x $program && -f $program && " ${not_valgrind[*]} " != *" ${program##*/} "* ]] || continue
		tests+=("tests/unit/${program##*/}")
	done
	make_in "$build" check TESTS="${tests[*]}" LOG_FLAGS="$memcheck" \
		>>"$work/valgrind.log" 2>&1 || code=$?
	collect valgrind "$build" "$code"
}

# That a release has all that its tests need shows with a few of them; they have run already.
stage_distcheck()
{
	local code=0
	local -a some=(tests/unit/store tests/unit/fcgi_answer tests/system/answers.sh
		tests/system/cgi.sh tests/system/doctor.sh)

	{ configure_in "$work/distcheck" && make_in "$work/distcheck" distcheck TESTS="${some[*]}" \
		DISTCHECK_CONFIGURE_FLAGS=--enable-werror; } >"$work/distcheck.log" 2>&1 || code=$?
	if ((code == 0)); then
		result distcheck PASS 'make distcheck'
	else
		result distcheck FAIL 'make distcheck'
		show "$work/distcheck.log" 60
		show_failed "$work/distcheck"
	fi
}

# Its tests are none of make check's: they need root, the archive and some minutes.
stage_package()
{
	local build=$work/package code=0
	local -a tests=(tests/package/{debian-13,deployment,package,sources}.sh)

	{ configure_in "$build" && make_in "$build" all tests/peers/escrow-gateway &&
		make_in "$build" check-TESTS TESTS="${tests[*]}"; } >"$work/package.log" 2>&1 || code=$?
	collect package "$build" "$code"
}

lint()
{
	local name=$1

	shift
	if "$@" >"$work/lint-$name.log" 2>&1; then
		result lint PASS "$name"
	else
		result lint FAIL "$name"
		show "$work/lint-$name.log" 60
	fi
}

no_match()
{
	! grep -nE "$@"
}

# Files over 600 lines and calls that the style does without.
house_rules()
{
	local files=("$@") bad=0

	awk 'FNR == 601 { print FILENAME ": over 600 lines"; bad = 1 } END { exit bad }' \
		"${files[@]}" || bad=1
	no_match '\b(strcpy|strcat|sprintf|atoi|atol|sscanf|system|popen|gets|tmpnam|alloca)\(' \
		"${files[@]}" || bad=1
	no_match '\bcJSON_(Parse|GetObjectItem)\(' "${files[@]}" || bad=1
	no_match '\b(TODO|FIXME|XXX)\b' "${files[@]}" || bad=1
	return "$bad"
}

# Lines of the pages over 100 characters; tables, code and lines that are one link may be longer.
prose_lines()
{
	perl -CSD -ne '
		$code = !$code, next if /^\s*```/;
		if (length > 101 && !$code && !/^\s*\|/ && !/^\s*\S+$/) {
			print "$ARGV:$.: over 100 characters\n";
			$bad = 1;
		}
		close ARGV if eof;
		END { exit $bad // 0 }' "$@"
}

stage_lint()
{
	local -a scripts sources pages texts

	cd "$work/src"
	mapfile -t scripts < <(grep -rlE '^#!/bin/(ba)?sh|^# shellcheck shell=' \
		--include='*.sh' --include=add-tenant --include=run --exclude-dir=build-aux .)
	mapfile -t sources < <(find . -name '*.[ch]' | sort)
	mapfile -t pages < <(find man -name '*.[158]' 2>/dev/null | sort)
	mapfile -d '' texts < <(source_files | grep -zvE "$not_ours")
	lint shellcheck shellcheck -x -P . "${scripts[@]}"
	lint clang-format clang-format --dry-run --Werror "${sources[@]}"
	lint codespell codespell -L "$no_mistakes" "${texts[@]}"
	lint house-rules house_rules "${sources[@]}"
	lint sql-subset tests/sql-subset lib/store/*.[ch]
	lint prose-lines prose_lines ./*.md doc/*.md
	if ((${#pages[@]})); then
		lint mandoc mandoc -T lint -W warning "${pages[@]}"
	fi
}

# --- the whole

run_stage()
{
	local stage=$1 started=$SECONDS output=$work/$1.output

	"stage_$stage" >"$output" 2>&1
	awk -v stage="$stage" -v seconds=$((SECONDS - started)) '
		/^(PASS|XFAIL)/ { passed++ }
		/^(FAIL|ERROR|XPASS)/ { failed++ }
		/^SKIP/ { skipped++ }
		END {
			printf "%-10s %5d passed, %d failed, %d skipped   %4d s\n",
				stage, passed, failed, skipped, seconds
		}' "$work/$stage.results" | tee "$work/$stage.done"
	cat "$output"
}

wanted()
{
	local stage

	for stage in "${stages[@]}"; do
		[[ $stage != "$1" ]] || return 0
	done
	return 1
}

run_lane()
{
	local stage

	for stage in $1; do
		if wanted "$stage"; then
			run_stage "$stage"
		fi
	done
}

read_arguments()
{
	local -a chosen=()

	while (($#)); do
		case $1 in
		--keep) keep=yes ;;
		--help) usage && exit 0 ;;
		*)
			wanted "$1" || { usage >&2; exit 2; }
			chosen+=("$1")
			;;
		esac
		shift
	done
	((${#chosen[@]} == 0)) || stages=("${chosen[@]}")
}

clean_up()
{
	local pid

	for pid in $(jobs -p); do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	wait
	if [[ -n $keep ]]; then
		say "left behind: $work"
	else
		chmod -R u+w "$work"
		rm -rf "$work"
	fi
}

main()
{
	local lane stage passed failed skipped

	read_arguments "$@"
	install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" \
		"${browser_packages[@]}" "${package_packages[@]}"
	work=$(mktemp -d "${TMPDIR:-/tmp}/certprov-check.XXXXXX")
	chmod 755 "$work" # tests that give up root's rights must be able to enter
	trap clean_up EXIT
	trap 'exit 130' INT TERM HUP
	mkdir "$work/tmp"
	export TMPDIR=$work/tmp # what a killed test leaves behind goes too
	copy_source "$work/src"
	"$work/src/autogen.sh" >"$work/autogen.log" 2>&1 || { cat "$work/autogen.log"; exit 1; }
	set -m # a process group for each lane, to be ended as a whole
	for lane in "${lanes[@]}"; do
		run_lane "$lane" </dev/null &
	done
	wait
	for stage in "${stages[@]}"; do
		[[ ! -s $work/$stage.done ]] || continue
		result "$stage" FAIL "$stage: ended too early"
		cat "$work/$stage.output" 2>/dev/null || true
	done
	passed=$(count 'PASS|XFAIL')
	failed=$(count 'FAIL|ERROR|XPASS')
	skipped=$(count SKIP)
	if ((skipped)); then
		sort -u "$work"/*.skips
		say "$passed passed, $failed failed, $skipped skipped"
	else
		say "$passed passed, $failed failed"
	fi
	((failed == 0 && passed > 0))
}

main "$@"

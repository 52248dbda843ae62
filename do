#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The one entry to building, trying and testing pgfault: see `./do help`.
set -eu

cd "$(dirname "$0")"
top=$(pwd -P)
# bpftool and perf live in sbin on some distributions, outside a user's PATH.
PATH=$PATH:/usr/sbin:/sbin
export PATH

usage() {
	cat <<-'EOF'
	usage: ./do COMMAND

	  demo             build, then show the page faults of the C compiler at work
	  build            build into ./build
	  test [PART...]   build in all ways and run every test, or only the named parts
	  bench [NAME...]  build and run the benchmarks in bench/
	  fuzz [SECONDS]   run each fuzzer for so long (60)
	  deps [SET]       install what is missing: build, test, bench or all of them
	  clean            remove every build directory

	What is missing is named before it is installed, as root or by sudo. With NO_INSTALL=1
	it is only named. Nothing is downloaded when nothing is missing.
	EOF
}

deps() {
	.ci/deps "$@"
}

# A build directory made for another place (a copied tree) or by another meson is of no use.
usable() {
	grep -q "\"source\": \"$top\"" "$1/meson-info/meson-info.json" 2>/dev/null &&
		[ -f "$1/build.ninja" ] && meson introspect "$1" --projectinfo >/dev/null 2>&1
}

# DIR [meson options]: sets the directory up where needed and builds it.
build_in() {
	dir=$1
	shift
	if ! usable "$dir"; then
		rm -rf "$dir"
		meson setup "$dir" "$@"
	fi
	ninja -C "$dir"
}

cmd_build() {
	deps build
	build_in build
}

cmd_demo() {
	cmd_build
	set -- "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -Iinclude -Isrc -O2 -c src/cmd/options.c \
		-o /dev/null
	echo
	echo "The page faults of a C compiler at work:"
	echo "  pgfault run -- $*"
	echo
	build/src/cmd/pgfault run -- "$@"
}

cmd_test() {
	start=$(date +%s)
	deps test
	PGF_DEPS_SECONDS=$(($(date +%s) - start))
	export PGF_DEPS_SECONDS
	exec .ci/suite "$@"
}

cmd_bench() {
	deps bench
	build_in build
	if [ $# -eq 0 ]; then
		for program in bench/*; do
			if [ -f "$program" ] && [ -x "$program" ]; then
				set -- "$@" "$(basename "$program")"
			fi
		done
	fi
	for name; do
		echo "== $name"
		"bench/$name"
	done
}

cmd_fuzz() {
	deps test
	FUZZ_SECONDS=${1:-${FUZZ_SECONDS:-60}}
	export FUZZ_SECONDS
	exec .ci/suite fuzz
}

cmd_clean() {
	rm -rf build build-test build-clang build-asan build-fuzz build-coverage
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
demo | build | test | bench | fuzz | clean) "cmd_$command" "$@" ;;
deps) deps "${1:-all}" ;;
help | -h | --help) usage ;;
*)
	echo "./do: $command: no such command" >&2
	usage >&2
	exit 64
	;;
esac

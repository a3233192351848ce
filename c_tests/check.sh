#!/bin/bash
# The driver of the C test suite: runs c_tests/<group>/run.sh for every group, or for those named.
#
#     c_tests/check.sh [GROUP...]
#
# A group prints `ok GROUP/NAME`, `FAIL GROUP/NAME: reason` or `skip GROUP/NAME: reason` per test.
# Exits 1 when any test failed, 2 when the suite could not start.

set -u
: "${TOP:=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)}"
: "${BUILD:=$TOP/target/c_tests}"
: "${LIBUSIPC:=$TOP/target/release/libusipc.so}"
: "${USIPC:=$TOP/target/release/usipc}"
: "${CC:=cc}"
: "${MODE:=check}"
export TOP BUILD LIBUSIPC USIPC CC MODE

# What everything else rests on comes first, what takes long last.
FIRST="abi headers install cli scenes"
LAST="memory clients differential crash soak"

command -v "${CC%% *}" >/dev/null || { echo "check.sh: no C compiler '$CC' (Debian: apt-get install gcc)" >&2; exit 2; }
if [ "${SUBJECT:-usipc}" = usipc ] && [ ! -e "$LIBUSIPC" ]; then
    echo "check.sh: no library at $LIBUSIPC (run make first)" >&2
    exit 2
fi

has_run() { [ -f "$TOP/c_tests/$1/run.sh" ]; }

groups_in_order() {
    local group dir
    for group in $FIRST; do has_run "$group" && echo "$group"; done
    for dir in "$TOP"/c_tests/*/; do
        group=$(basename "$dir")
        case " $FIRST $LAST " in *" $group "*) ;; *) has_run "$group" && echo "$group" ;; esac
    done
    for group in $LAST; do has_run "$group" && echo "$group"; done
}

mkdir -p "$BUILD/log"
results=$BUILD/log/results
: >"$results"

run_group() {
    local group=$1 log=$BUILD/log/$1 status
    if ! has_run "$group"; then
        echo "FAIL $group: there is no such group" | tee -a "$results"
        return
    fi
    echo "== $group"
    bash "$TOP/c_tests/$group/run.sh" </dev/null 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    grep -E '^(ok|FAIL|skip) ' "$log" >>"$results" || {
        echo "FAIL $group: its run.sh ran no test (status $status)" | tee -a "$results"
        return
    }
    # A script that dies half-way must not look like a success.
    if [ "$status" != 0 ] && ! grep -q '^FAIL ' "$log"; then
        echo "FAIL $group: its run.sh ended with status $status" | tee -a "$results"
    fi
}

if [ $# = 0 ]; then set -- $(groups_in_order); fi
[ $# != 0 ] || { echo "check.sh: no test group found under $TOP/c_tests" >&2; exit 2; }
for group; do run_group "${group%/}"; done

failed=$(grep -c '^FAIL ' "$results")
echo
grep '^FAIL ' "$results"
echo "$(grep -c '^ok ' "$results") passed, $failed failed, $(grep -c '^skip ' "$results") skipped"
[ "$failed" = 0 ]

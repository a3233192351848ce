#!/bin/bash
# Real programs on the kernel's IPC and on usipc's, in turn: bench/clients.sh OUT [CLIENT...] writes OUT/CLIENTS.md.
#
# RUNS (5) times each, SECONDS_OF_RUN (5) seconds long; QUICK=1: twice, for a second. A client is a file in
# bench/clients/ and, after a colon, which part of it; play.sh says what it may use.

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
: "${TARGET:=$here/../target}"
: "${LIBUSIPC:=$TARGET/release/libusipc.so}"
: "${PYTHON:=$TARGET/c_tests/venv/bin/python}"
if [ "${QUICK:-}" ]; then : "${RUNS:=2}" "${SECONDS_OF_RUN:=1}"; else : "${RUNS:=5}" "${SECONDS_OF_RUN:=5}"; fi
LIMIT_S=180
ALL="fakeroot apache pgbench stress-ng:msg stress-ng:mq stress-ng:sem-sysv python:sysv_ipc python:posix_ipc"

[ $# != 0 ] || { echo "usage: $0 OUT [CLIENT...]" >&2; exit 2; }
out=$1; shift
[ $# != 0 ] || set -- $ALL

scratch=$(mktemp -d "${TMPDIR:-/tmp}/usipc-clients.XXXXXX") || exit
memory=/dev/shm
[ -w $memory ] || memory=$scratch
trap 'rm -rf "$scratch" "$memory"/usipc-clients.$$.*' EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" = 0 ]; then
    namespace=(unshare -i) user=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups)
    owner=(chown -R "nobody:$(id -g nobody)")
else
    namespace=(unshare -r -i) user=(unshare "--map-user=$(id -u)" "--map-group=$(id -g)") owner=(true)
fi
# The user may have no way to where the tree is.
chmod 711 "$scratch"
mkdir "$scratch/clients" && cp "$here"/clients/*.sh "$scratch/clients" && cp "$LIBUSIPC" "$scratch/libusipc.so" || exit
export SECONDS_OF_RUN PYTHON LIBUSIPC=$scratch/libusipc.so

# on SIDE CLIENT ACTION: in namespaces of IPC and of processes that end with it.
on() {
    local dir=$memory/usipc-clients.$$.$1 status
    mkdir -p -m 700 "$dir" && "${owner[@]}" "$dir" || return
    USIPC_DIR=$dir timeout -k 5 "$LIMIT_S" "${namespace[@]}" unshare --pid --fork --kill-child sh -c '"$@"; exit $?' sh \
        "${user[@]}" env -C "$scratch/work" HOME="$scratch/work" TMPDIR="$scratch/work" PATH="/usr/sbin:/sbin:$PATH" \
        bash "$scratch/clients/play.sh" "$2" "$3" "$1" </dev/null
    status=$?
    rm -rf "$dir"
    return $status
}

# Median, least and most of a side's numbers.
median() {
    sort -g "$scratch/$1" |
        awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}

# row CLIENT UNIT BAR
row() {
    awk -v client="$1" -v unit="$2" -v bar="$3" -v kernel="$(median kernel)" -v usipc="$(median usipc)" '
        function shown(x) { return sprintf(x < 100 ? "%.1f" : "%.0f", x) }
        function side(v) { return shown(v[1]) " (" shown(v[2]) "-" shown(v[3]) ")" }
        BEGIN {
            split(kernel, k); split(usipc, u); ratio = u[1] / k[1]
            printf "| %s, %s | %s | %s | %.2f | %s | %s |\n", client, unit, side(k), side(u), ratio, bar,
                (ratio >= bar ? "yes" : "**no**")
        }'
}

# One run's number into the side's file; or why not, into `why`.
once() {
    local value
    value=$(on "$1" "$2" play 2>"$scratch/stderr")
    if [[ $value =~ ^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$ ]]; then
        echo "$value" >>"$scratch/$1"
    else
        why="on $1: ${value:-$(tail -n 1 "$scratch/stderr")}"
        return 1
    fi
}

play_in_turn() {
    local run side
    for ((run = 1; run <= RUNS; run++)); do
        for side in kernel usipc; do
            echo "$1: $run of $RUNS, $side" >&2
            once "$side" "$1" || return
        done
    done
}

client() {
    local why unit bar
    rm -rf "$scratch/work" "$scratch/kernel" "$scratch/usipc"
    mkdir "$scratch/work" && "${owner[@]}" "$scratch/work" || return
    IFS='|' read -r unit bar <<<"$(on kernel "$1" settings)"
    if why=$(on kernel "$1" wanted 2>&1) && why=$(on kernel "$1" prepare 2>&1 | tail -n 1; exit "${PIPESTATUS[0]}") &&
        play_in_turn "$1"; then
        row "$1" "$unit" "$bar"
    else
        echo "| $1 | did not run: $why | | | $bar | |"
    fi
}

{
    cat <<END
# Real programs

Written by \`make bench-clients\`: each program $RUNS times on each side in turn, $SECONDS_OF_RUN s at a time (fakeroot: 5,000
files); what it does in a second: the median, with least and most. $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r).

| program | kernel | usipc | usipc / kernel | bar | met |
|---|---|---|---|---|---|
END
    for name; do
        line=$(client "$name")
        echo "$line"
        echo "$line" >&2
    done
} >"$scratch/CLIENTS.md"
mkdir -p "$out" && cp "$scratch/CLIENTS.md" "$out"

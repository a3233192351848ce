#!/bin/bash
# The tables of UNP vol. 2, appendix A, on the kernel and glibc, on usipc under the preload, and linked with it.
#
#     make bench-unp                  a few minutes
#     QUICK=1 make bench-unp          under a minute
#
# The three take turns, and each number is the median of ROUNDS. The kernel's limits are those of a fresh namespace.

: "${CFLAGS:=-std=c11 -O2 -Wall -Wextra}"
# Not raised, as the tests raise them.
: "${ORACLE_SYSCTL:= }"
: "${HANG_GUARD_S:=60}"
. "${0%/*}/../../../lib.sh"

if [ -n "${QUICK:-}" ]; then
    : "${ROUNDS:=1}" "${BW_LOOPS:=2}" "${LAT_LOOPS:=5000}" "${INCREMENTS:=20000}"
else
    : "${ROUNDS:=3}" "${BW_LOOPS:=5}" "${LAT_LOOPS:=10000}" "${INCREMENTS:=100000}"
fi
SIZES="1024 2048 4096 8192 16384 32768 65536"
# Up to this size as the kernel's queues are; beyond, four messages, as the POSIX queue of the book's program has.
KERNELS_MSGMAX=8192
LARGER="USIPC_MSGMAX=64K USIPC_MSGMNB=256K"
export PX_IPC_NAME=/

build_programs() {
    local source name lib=$BIN/lib
    mkdir -p "$BIN"/{plain,linked} "$lib"
    ln -sf "$LIBUSIPC" "$lib/libusipc.so"
    ln -sf "$LIBUSIPC" "$lib/libusipc.so.0"
    for source in "$HERE"/*.c; do
        name=${source##*/} name=${name%.c}
        compile "plain/$name" "$source" &&
            compile "linked/$name" "$source" -L"$lib" -Wl,-rpath,"$lib" -lusipc || exit 1
    done
}
# Where compile keeps its words.
mkdir "$SCRATCH"/{plain,linked}

# in_way WAY PROGRAM ARGS...
in_way() {
    local way=$1 program=$2; shift 2
    case $way in
    kernel) on_kernel "$BIN/plain/$program" "$@" ;;
    preload) on_usipc "$namespace" "$BIN/plain/$program" "$@" ;;
    linked) timeout -k 5 "$HANG_GUARD_S" env $ORACLE_ENV USIPC_DIR="$namespace" "$BIN/linked/$program" "$@" ;;
    esac
}

# What a program that failed said, as a word.
reason() {
    case $(tail -n 1) in
    *"Invalid argument") echo EINVAL ;;
    *"Function not implemented") echo ENOSYS ;;
    *"Cannot allocate memory") echo ENOMEM ;;
    *"No space left on device") echo ENOSPC ;;
    *"Too many open files") echo EMFILE ;;
    *"Permission denied") echo EACCES ;;
    *error:\ counter*) echo WRONG ;;
    *) echo failed ;;
    esac
}

declare -A results # WAY PROGRAM ARGS: a number or a reason per round

measure() {
    local output
    output=$(in_way "$@" 2>&1)
    if [ $? = 0 ] && [[ $output =~ ^[a-z]+:\ ([0-9.]+)\ [A-Za-z/]+$ ]]; then output=${BASH_REMATCH[1]}
    else output=$(reason <<<"$output"); fi
    results[$*]+="$output "
}

# measure_all WAYS PROGRAM ARGS...: by turns.
measure_all() {
    local ways=$1 round way; shift
    for ((round = 0; round < ROUNDS; round++)); do
        for way in $ways; do measure $way "$@"; done
    done
}

# median WAY PROGRAM ARGS...: divided by $per.
per=1
median() {
    tr ' ' '\n' <<<"${results[$*]}" | grep . | sort -n | awk -v per=$per '{ of[NR] = $1 } END {
        middle = of[int((NR + 1) / 2)]
        if (middle !~ /^[0-9.]+$/) print middle
        else if (middle / per < 10) printf "%.2f\n", middle / per
        else printf "%.0f\n", middle / per }'
}

ALL="kernel preload linked"
row() { printf '%-14s' "$1"; shift; printf ' %9s' "$@"; echo; }
medians() { local way ways=$1; shift; for way in $ways; do median $way "$@"; done; }

bandwidth_table() {
    local size amount=10
    echo "Bandwidth in MB/s: $BW_LOOPS times $amount MB"
    echo
    printf '%-14s %9s %29s %29s\n' "" pipe "------ POSIX queue ------" "---- System V queue ----"
    row "bytes/message" "" $ALL $ALL
    for size in $SIZES; do
        ORACLE_ENV=
        measure_all kernel bw_pipe $BW_LOOPS $amount $size
        measure_all "$ALL" bw_pxmsg $BW_LOOPS $amount $size
        [ $size -le $KERNELS_MSGMAX ] || ORACLE_ENV=$LARGER
        measure_all "$ALL" bw_svmsg $BW_LOOPS $amount $size
        row $size $(median kernel bw_pipe $BW_LOOPS $amount $size) \
            $(medians "$ALL" bw_pxmsg $BW_LOOPS $amount $size) $(medians "$ALL" bw_svmsg $BW_LOOPS $amount $size)
    done
    echo
    echo "The kernel's messages have at most $KERNELS_MSGMAX bytes (msgmax, msgsize_max). Beyond that usipc had $LARGER."
    echo
    ORACLE_ENV=
}

latency_table() {
    local program
    echo "Latency in us of the smallest message, there and back: $LAT_LOOPS times"
    echo
    row "" $ALL
    measure_all kernel lat_pipe $LAT_LOOPS
    row pipe $(median kernel lat_pipe $LAT_LOOPS)
    for program in lat_pxmsg lat_svmsg; do measure_all "$ALL" $program $LAT_LOOPS; done
    row "POSIX queue" $(medians "$ALL" lat_pxmsg $LAT_LOOPS)
    row "System V queue" $(medians "$ALL" lat_svmsg $LAT_LOOPS)
    echo
}

# lines_of WAYS PROGRAM WHAT: a line for each way, a column for each number of workers. What libc does is the same everywhere.
lines_of() {
    local ways=$1 program=$2 what=$3 way n
    for n in 1 2 3 4 5; do measure_all "$ways" $program $INCREMENTS $n; done
    for way in $ways; do
        [ "$ways" = kernel ] || what=$(printf '%-32s %s' "$3" $way)
        increments_row "$what" $(for n in 1 2 3 4 5; do median $way $program $INCREMENTS $n; done)
    done
}
increments_row() { printf '%-42s' "$1"; shift; printf ' %8s' "$@"; echo; }

increments_table() {
    local per=1000
    echo "Time in ms in which each of 1 to 5 workers adds one $INCREMENTS times"
    echo
    increments_row "threads" 1 2 3 4 5
    lines_of kernel incr_pxmutex1 "mutex"
    lines_of kernel incr_pxsem1 "unnamed semaphore"
    lines_of "$ALL" incr_pxsem2 "named semaphore"
    lines_of "$ALL" incr_svsem1 "System V semaphore"
    lines_of "$ALL" incr_svsem2 "System V, SEM_UNDO"
    echo
    increments_row "processes" 1 2 3 4 5
    lines_of kernel incr_pxmutex5 "mutex"
    lines_of kernel incr_pxsem5 "unnamed semaphore"
    lines_of "$ALL" incr_pxsem6 "named semaphore, shared pointer"
    lines_of "$ALL" incr_pxsem7 "named semaphore, inherited"
    lines_of "$ALL" incr_pxsem8 "named semaphore, opened anew"
    lines_of "$ALL" incr_svsem5 "System V semaphore"
    lines_of "$ALL" incr_svsem6 "System V, SEM_UNDO"
}

[ -e "$LIBUSIPC" ] || { echo "bench.sh: no library at $LIBUSIPC (run make first)" >&2; exit 2; }
build_programs
have_kernel || { echo "No fresh kernel IPC namespace here (unshare is refused): the system's own is used."; KERNEL_NS=(); }
namespace=$(fresh_namespace) || exit 2
trap 'rm -rf "$SCRATCH" "$namespace"' EXIT
[ "$ROUNDS" = 1 ] || echo "Medians of $ROUNDS rounds."
bandwidth_table
latency_table
increments_table

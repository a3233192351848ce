#!/bin/bash
# One run of the benchmark, in an IPC namespace of its own that is gone afterwards:
#
#     bench/run.sh kernel|usipc|peer [-t MS] [-c SAMPLES] ROW...    (bench/run.sh kernel list: the scenes)
#
# BENCH is the program, PEERS that of the other libraries, LIBUSIPC what is preloaded.

set -u
here=$(cd "${0%/*}" && pwd)
: "${TARGET:=$here/../target}"
: "${BENCH:=$TARGET/bench/bench}"
: "${PEERS:=$TARGET/bench/peers}"
: "${LIBUSIPC:=$TARGET/release/libusipc.so}"

# What both sides must allow: usipc's ceilings for POSIX queues are the kernel's hard ones.
SYSCTL="fs/mqueue/msg_max=65536 fs/mqueue/msgsize_max=16777216 fs/mqueue/queues_max=65536
    kernel/msgmax=16777216 kernel/msgmni=32768 kernel/shmmni=32768 kernel/sem=32000:1024000000:500:32768"
LIMITS="USIPC_MSGMAX=16777216 USIPC_MSGMNI=32768 USIPC_SHMMNI=32768 USIPC_SEMMNI=32768"

side=${1:-}
shift
if [ "${1:-}" = list ]; then exec "$BENCH" list; fi

if [ "$(id -u)" = 0 ]; then user=(); else user=(-r); fi
memory=/dev/shm
[ -w $memory ] || memory=${TMPDIR:-/tmp}

case $side in
kernel)
    USIPC_BENCH_OWN_NAMESPACE=1 unshare ${user[@]+"${user[@]}"} -i sh -c '
        for assignment in $1; do
            { echo "${assignment#*=}" | tr : " " >"/proc/sys/${assignment%%=*}"; } 2>/dev/null || :
        done
        shift
        exec "$@"' sh "$SYSCTL" "$BENCH" run "$@"
    ;;
usipc)
    dir=$(mktemp -d "$memory/usipc-bench.XXXXXX") || exit
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM
    env $LIMITS USIPC_DIR="$dir" LD_PRELOAD="$LIBUSIPC" "$BENCH" run "$@"
    ;;
peer)
    trap 'rm -f /dev/shm/usipc-bench.peer.*' EXIT
    trap 'exit 130' INT TERM
    "$PEERS" run "$@"
    ;;
*)
    echo "usage: $0 kernel|usipc|peer [-t MS] [-c SAMPLES] ROW..." >&2
    exit 2
    ;;
esac

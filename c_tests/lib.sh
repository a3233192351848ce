# Helpers for the group scripts c_tests/<group>/run.sh, which source this file:
#
#     . "${0%/*}/../lib.sh"
#     compile fifo "$HERE/fifo.c" && oracle fifo "$BIN/fifo"
#
# A group script prints one line per test (ok, FAIL or skip); check.sh counts them. Whatever explains
# a failure is printed below its line, indented, so that it is never counted.
#
# Set here when the environment does not: TOP, BUILD, LIBUSIPC, USIPC, CC, CXX, MODE (check or soak).
# Set for the group: GROUP (its name), HERE (its directory), BIN (compiled programs), SCRATCH (a
# directory removed at the end).

set -u
export LC_ALL=C

HERE=$(cd "${0%/*}" && pwd)
GROUP=${HERE##*/}
: "${TOP:=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)}"
: "${BUILD:=$TOP/target/c_tests}"
: "${LIBUSIPC:=$TOP/target/release/libusipc.so}"
: "${USIPC:=$TOP/target/release/usipc}"
: "${CC:=cc}"
: "${CXX:=c++}"
: "${MODE:=check}"
: "${CFLAGS:=-std=c11 -O1 -g -Wall -Wextra -Werror}"
: "${CXXFLAGS:=-std=c++17 -O1 -g -Wall -Wextra -Werror}"
# SUBJECT=kernel compares the kernel with itself: it shows a test that is not deterministic.
: "${SUBJECT:=usipc}"
# Seconds until a program is taken to hang.
: "${HANG_GUARD_S:=180}"
# What the kernel's fresh namespace is set to: usipc's POSIX ceilings are the kernel's hard ones.
: "${ORACLE_SYSCTL:=fs/mqueue/msg_max=65536 fs/mqueue/msgsize_max=16777216 fs/mqueue/queues_max=1024}"
# NAME=VALUE words for the usipc side alone, the counterpart of ORACLE_SYSCTL.
: "${ORACLE_ENV:=}"
export TOP BUILD LIBUSIPC USIPC CC CXX MODE

BIN=$BUILD/$GROUP
mkdir -p "$BIN"
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/usipc-$GROUP.XXXXXX")
chmod 711 "$SCRATCH"
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT TERM

pass() { echo "ok $GROUP/$1"; }
fail() { echo "FAIL $GROUP/$1: $2"; }
skip() { echo "skip $GROUP/$1: $2"; }

# The explanation of a failure: the first lines of a file (or of stdin), indented.
below() { head -n "${BELOW_LINES:-60}" "${1:--}" | sed 's/^/    /'; }

# A fresh, empty namespace directory on a memory file system, usable by every uid; its path on stdout.
# The caller removes it.
fresh_namespace() {
    local dir
    # With its rooms, as packaging/tmpfiles.conf makes them: where users share, only the owner may.
    dir=$(mktemp -d "$(memory_dir)/usipc-test.XXXXXX") && chmod 1777 "$dir" &&
        mkdir -m 1777 "$dir"/{msg,sem,shm,keys,mq,psem,pshm} && mkdir -m 1733 "$dir/poll" &&
        mkdir -m 1777 "$dir/procs" && echo "$dir"
}

memory_dir() { if [ -w /dev/shm ]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi; }

# compile NAME SOURCE [FLAGS...]: makes $BIN/NAME; a failure is a failed test.
compile() { build_with "$1" $CC $CFLAGS -I"$TOP/c_tests/include" -o "$BIN/$1" "${@:2}" -pthread -lrt; }
compile_cxx() { build_with "$1" $CXX $CXXFLAGS -I"$TOP/c_tests/include" -o "$BIN/$1" "${@:2}" -pthread -lrt; }

build_with() {
    local name=$1; shift
    "$@" >"$SCRATCH/$name.build" 2>&1 && return 0
    fail "$name" "does not compile"
    below "$SCRATCH/$name.build"
    return 1
}

# The words that make a fresh kernel IPC namespace, and the same user namespace without it.
if [ "$(id -u)" = 0 ]; then KERNEL_NS=(unshare -i) USER_NS=(); else KERNEL_NS=(unshare -r -i) USER_NS=(unshare -r); fi

# Says whether the oracle can run here at all (a sandbox may forbid unshare).
have_kernel() { "${KERNEL_NS[@]}" true 2>/dev/null; }

# on_kernel PROGRAM ARGS...: in a fresh, empty kernel IPC namespace.
on_kernel() {
    timeout -k 5 "$HANG_GUARD_S" "${KERNEL_NS[@]}" sh -c '
        for assignment in $1; do
            { echo "${assignment#*=}" >"/proc/sys/${assignment%%=*}"; } 2>/dev/null || :
        done
        shift
        exec "$@"' sh "$ORACLE_SYSCTL" "$@"
}

# on_usipc DIR PROGRAM ARGS...: under the preload, in the namespace directory DIR.
on_usipc() {
    local dir=$1; shift
    timeout -k 5 "$HANG_GUARD_S" ${USER_NS[@]+"${USER_NS[@]}"} \
        env $ORACLE_ENV USIPC_DIR="$dir" LD_PRELOAD="$LIBUSIPC" "$@"
}

# oracle NAME PROGRAM ARGS...: the program must print the same and end with the same status on the
# kernel's message queues and on ours.
oracle() {
    local name=$1 base=$SCRATCH/$1 kernel_status subject_status
    shift
    have_kernel || { skip "$name" "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    on_kernel "$@" >"$base.kernel" 2>"$base.kernel.err" </dev/null
    kernel_status=$?
    run_subject "$base" "$@"
    subject_status=$?
    if [ $kernel_status -ge 124 ]; then
        fail "$name" "the kernel run itself ended with status $kernel_status"
        below "$base.kernel.err"
    elif [ $kernel_status != $subject_status ]; then
        differs "$name" "exit status $subject_status, on the kernel $kernel_status" "$base"
    elif ! cmp -s "$base.kernel" "$base.subject"; then
        differs "$name" "prints something else than on the kernel (-kernel +$SUBJECT)" "$base"
    elif [ -n "$(known_difference "$name")" ]; then
        fail "$name" "is listed in $GROUP/differences but does as the kernel does"
    else
        pass "$name"
    fi
}

# A group's file `differences` lists what is meant to differ from the kernel: a test and the reason, a
# line each. A test listed there must differ, so that the list cannot grow stale.
known_difference() {
    [ "$SUBJECT" = usipc ] && [ -e "$HERE/differences" ] || return 0
    awk -v name="$1" '$1 == name { $1 = ""; print substr($0, 2) }' "$HERE/differences"
}

differs() {
    local reason
    reason=$(known_difference "$1")
    if [ -n "$reason" ]; then
        pass "$1 (differs: $reason)"
    else
        fail "$1" "$2"
        difference "$3"
    fi
}

run_subject() {
    local base=$1 dir status; shift
    if [ "$SUBJECT" = kernel ]; then
        on_kernel "$@" >"$base.subject" 2>"$base.subject.err" </dev/null
        return
    fi
    dir=$(fresh_namespace) || return
    on_usipc "$dir" "$@" >"$base.subject" 2>"$base.subject.err" </dev/null
    status=$?
    rm -rf "$dir"
    return $status
}

difference() {
    diff -U2 --label kernel --label "$SUBJECT" "$1.kernel" "$1.subject" | below
    below "$1.subject.err"
}

#!/bin/bash
# Real programs: Perl, Python's sysv_ipc and posix_ipc, stress-ng, util-linux.
#
# Each runs on the kernel first, which shows that the test is right, and then under the preload in a
# kernel IPC namespace whose own limits are 0: whatever works there was not the kernel's.

. "${0%/*}/../lib.sh"

VENV=$BUILD/venv
PYTHON=$VENV/bin/python

# CAP_SYS_RESOURCE passes over fs.mqueue.queues_max.
WITHOUT_RESOURCE=()
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    WITHOUT_RESOURCE=(setpriv --inh-caps=-sys_resource --bounding-set=-sys_resource)
fi

# without_kernel PROGRAM ARGS...: where the kernel makes no queue.
without_kernel() {
    timeout -k 5 "$HANG_GUARD_S" "${KERNEL_NS[@]}" sh -c '
        echo 0 >/proc/sys/kernel/msgmni && echo 0 >/proc/sys/fs/mqueue/queues_max && exec "$@"' \
        sh ${WITHOUT_RESOURCE[@]+"${WITHOUT_RESOURCE[@]}"} "$@"
}

# Replaces lib.sh's, for `oracle`.
on_usipc() {
    local dir=$1; shift
    without_kernel env USIPC_DIR="$dir" LD_PRELOAD="$LIBUSIPC" "$@"
}

# wants NAME COMMAND PACKAGE: skips the test with what to type when its program is not here.
wants() {
    command -v "$2" >/dev/null && return 0
    skip "$1" "no $2 (type: apt-get install $3)"
    return 1
}

kernel_refuses() {
    compile refused "$HERE/refused.c" || return
    if without_kernel "$BIN/refused" 2>"$SCRATCH/refused"; then
        pass kernel-refuses
    else
        fail kernel-refuses "the kernel's own queues are not shut off, so the tests below prove little"
        below "$SCRATCH/refused"
    fi
}

perl_clients() {
    local name
    for name in ipc_msg builtins; do
        wants "perl-$name" perl perl || continue
        if ! perl -MIPC::Msg -e 1 2>/dev/null; then
            skip "perl-$name" "no IPC::Msg (type: apt-get install perl)"
            continue
        fi
        oracle "perl-$name" perl "$HERE/$name.pl"
    done
}

# python_client MODULE SCRIPT
python_client() {
    if ! "$PYTHON" -c "import $1" 2>/dev/null; then
        skip "python-$1" "no $1 (type: packaging/setup check)"
        return
    fi
    oracle "python-$1" "$PYTHON" "$HERE/$2"
}

# The operations that stress-ng's metrics count for a stressor, in the file $1.
operations() { awk -v stressor="$2" '$4 == stressor { print $5 }' "$1"; }

# stress_on WHERE STRESSOR OPERATIONS ARGS...: all of them done, and verified.
stress_on() {
    local where=$1 stressor=$2 wanted=$3 log=$SCRATCH/stress.$1.$2 status dir=
    shift 3
    set -- stress-ng --verify --metrics-brief --timeout 120 "--$stressor" 2 "--$stressor-ops" "$wanted" "$@"
    if [ "$where" = usipc ]; then
        dir=$(fresh_namespace) || return
        on_usipc "$dir" "$@" >"$log" 2>&1
    else
        on_kernel "$@" >"$log" 2>&1
    fi
    status=$?
    [ -z "$dir" ] || rm -rf "$dir"
    if [ $status != 0 ] || grep -qE 'fail|aborted|skipping' "$log"; then
        fail "stress-ng-$stressor" "status $status on $where"
        below "$log"
    elif [ "$(operations "$log" "$stressor")" -lt "$wanted" ] 2>/dev/null; then
        fail "stress-ng-$stressor" "$(operations "$log" "$stressor") operations of $wanted on $where"
        below "$log"
    else
        return 0
    fi
    return 1
}

# stress STRESSOR OPERATIONS ARGS...
stress() {
    wants "stress-ng-$1" stress-ng stress-ng || return
    stress_on kernel "$@" && stress_on usipc "$@" && pass "stress-ng-$1"
}

# ipcmk and ipcrm call libc; ipcs and lsipc read /proc/sysvipc, which is the kernel's, when it is there.
util_linux() {
    local dir id
    wants util-linux ipcmk util-linux || return
    oracle ipcmk-ipcrm sh -c 'id=$(ipcmk -Q | tr -dc 0-9); ipcmk -Q >/dev/null && ipcrm -q "$id" && echo removed
        ipcrm -q "$id"; echo again $?; ipcrm --all=msg; ipcrm -q 1; echo $?'
    dir=$(fresh_namespace) || return
    id=$(on_usipc "$dir" ipcmk -Q | tr -dc 0-9)
    if [ -n "$id" ] && USIPC_DIR=$dir "$USIPC" ls -q --noheadings -o ID | grep -qx "$id"; then
        pass ipcmk-in-ls
    else
        fail ipcmk-in-ls "usipc ls does not show queue '$id'"
    fi
    lsipc_without_proc "$dir" "$id"
    rm -rf "$dir"
}

lsipc_without_proc() {
    local hide='mount -t tmpfs none /proc/sysvipc && exec "$@"'
    if ! unshare -m sh -c "$hide" sh true 2>/dev/null; then
        skip lsipc-without-proc "cannot mount over /proc/sysvipc here"
    elif on_usipc "$1" unshare -m sh -c "$hide" sh lsipc -q --noheadings -o ID 2>&1 | grep -qx " *$2"; then
        pass lsipc-without-proc
    else
        fail lsipc-without-proc "lsipc does not show queue '$2'"
    fi
}

if ! have_kernel; then
    skip all "no fresh kernel IPC namespace here (unshare is refused)"
    exit 0
fi
kernel_refuses
perl_clients
python_client sysv_ipc sysv_queue.py
python_client posix_ipc posix_queue.py
stress msg 200000
stress mq 200000
util_linux

#!/bin/bash
# An uncontended mq_send, mq_receive, msgsnd, msgrcv, semop and GETVAL, and msgget, semget and shmget of a known key
# make no system call: seccomp kills the process at the first one; strace counts them.
#
# Each guard is first tried where it must bite, on the kernel's objects, so that the test can fail.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

OPERATIONS="msg mq mq-polled msgget sem sem-undo sem-beside sem-array semctl semget shmget"

# SIGSYS from the filter; SIGKILL from the strict mode.
declare -A BITES=([filter]="signal 31" [strict]="signal 9")

# The guard kills a process that makes a system call, and one that makes none it lets live.
bites() {
    local guard=$1 operation said
    for operation in $OPERATIONS; do
        said=$(on_kernel "$BIN/nosyscall" $operation $guard 2>&1)
        expect "on the kernel's objects" "$operation under $guard: ${BITES[$guard]}" "$said" || return
    done
    expect "without an object" "nothing under $guard: exit 0" "$(on_kernel "$BIN/nosyscall" nothing $guard 2>&1)"
}

# Lines of the trace between the marks, in the process that wrote them.
count_between_marks() {
    awk '/write\(2, "begin/ {on = $1; next} /write\(2, "end/ {on = ""} on == $1 {n++; if (n <= 5) print > "/dev/stderr"} END {print n + 0}' "$1"
}

traced() {
    strace -f -o "$SCRATCH/trace" "$@" >/dev/null 2>&1 </dev/null || { echo "status $? under strace"; return 1; }
    grep -q 'write(2, "end' "$SCRATCH/trace" || { echo "the trace has no end mark"; return 1; }
}

without() { # DIR OPERATION GUARD
    expect "$2" "$2 under $3: exit 0" "$(preloaded "$1" "$BIN/nosyscall" "$2" "$3" 2>&1)"
}

counted() { # DIR OPERATION [CALLS]
    traced env USIPC_DIR="$1" LD_PRELOAD="$LIBUSIPC" "$BIN/nosyscall" "$2" marks || return
    expect "system calls in 10,000 rounds of $2" "${3:-0}" "$(count_between_marks "$SCRATCH/trace")"
}

control_counts() {
    local operation calls
    for operation in msgget:10000 sem:30000; do
        calls=${operation#*:} operation=${operation%:*}
        traced "${KERNEL_NS[@]}" "$BIN/nosyscall" "$operation" marks || return
        expect "system calls in 10,000 rounds of the kernel's $operation" "$calls" \
            "$(count_between_marks "$SCRATCH/trace" 2>/dev/null)" || return
    done
}

controls() {
    local guard
    have_kernel || { skip controls "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    for guard in filter strict; do
        if bites $guard >"$SCRATCH/control"; then
            pass "control-$guard"
        else
            fail "control-$guard" "the guard does not do its work here"
            below "$SCRATCH/control"
        fi
    done
    command -v strace >/dev/null || return
    if control_counts >"$SCRATCH/control"; then pass control-strace; else fail control-strace "miscounts"; below "$SCRATCH/control"; fi
}

build nosyscall "$HERE/nosyscall.c" && {
    controls
    for operation in $OPERATIONS all; do
        for guard in filter strict; do on_ours "$operation-$guard" without "$operation" "$guard"; done
        if ! command -v strace >/dev/null; then
            skip "$operation-strace" "strace is not installed (Debian: apt-get install strace)"
        elif ! strace -o /dev/null true 2>/dev/null; then
            skip "$operation-strace" "strace may not trace here"
        else
            on_ours "$operation-strace" counted "$operation"
        fi
    done
    if strace -o /dev/null true 2>/dev/null; then
        # An epoll asks the kernel, which is told of each change by three calls: fstat, ioctl, and write or read.
        on_ours mq-watched-strace counted mq-watched 60000
        # The directory, and the file: open, look, close. It is mapped already.
        on_ours msg-stale-strace counted msg-stale 40000
        # One to look at the file, one to map what is known, one to unmap it.
        on_ours shm-attach-strace counted shm-attach 30000
    fi
}

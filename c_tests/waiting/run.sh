#!/bin/bash
# Waiting: what it costs while nothing comes, and what ends it while a thread still polls before it sleeps.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

build spinning "$HERE/spinning.c" &&
    for what in msgrcv msgsnd semop mq_receive mq_send; do checked "signal-$what" "$BIN/spinning" $what; done
[ -x "$BIN/spinning" ] &&
    for what in msgrcv msgsnd semop; do checked "signal-$what-restart" "$BIN/spinning" $what restart; done

processes=1000
[ "$(ulimit -u)" = unlimited ] || [ "$(ulimit -u)" -gt 3000 ] || processes=200
build idle "$HERE/idle.c" &&
    for what in msgrcv mq_receive semop undo; do checked "idle-$what" "$BIN/idle" $what $processes; done

# Who looks after another's adjustments sees that he lives; only now and then does it open his lifeline.
looks_quietly() {
    local looks opened
    USIPC_DIR=$1 guarded strace -f -e trace=futex,openat -E LD_PRELOAD="$LIBUSIPC" -o "$SCRATCH/trace" "$BIN/idle" undo 1 >"$SCRATCH/idle" 2>&1
    looks=$(grep -c ETIMEDOUT "$SCRATCH/trace")
    opened=$(grep -c '"procs/' "$SCRATCH/trace")
    [ "$looks" -ge 50 ] && [ "$opened" -lt $((looks / 3)) ] && return
    echo "$looks looks, a lifeline opened $opened times"
    return 1
}

if strace -o /dev/null true 2>/dev/null; then
    dir=$(fresh_namespace) && if looks_quietly "$dir" >"$SCRATCH/looks"; then pass looks-quietly; else
        fail looks-quietly "sleepers ask the kernel at every look"
        below "$SCRATCH/looks"
    fi
    rm -rf "$dir"
else
    skip looks-quietly "no strace that may trace here"
fi

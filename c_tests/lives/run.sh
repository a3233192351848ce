#!/bin/bash
# Processes' lives: many of them, short ones, with threads, in other namespaces, at the limits. All kinds of
# objects; what concerns queues alone is in preload/ and hostile/.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

[ "$MODE" != soak ] || HANG_GUARD_S=900

same_pid() { unshare -p -f --mount-proc sh -c '[ -w /proc/sys/kernel/ns_last_pid ]' 2>/dev/null; }

# Since Linux 6.14 each pid namespace has its own pid_max; before, the whole machine's would be changed.
own_pid_max() {
    local major minor
    IFS=.- read -r major minor _ < <(uname -r)
    [ "$((major * 100 + minor))" -ge 614 ] && unshare -p -f --mount-proc sh -c 'echo 400 >/proc/sys/kernel/pid_max' 2>/dev/null
}

# neighbours DIR HOLDER'S_WRAPPER OBSERVER'S_WRAPPER: what a process holds is seen from another namespace, and its death.
neighbours() {
    local holder byte seen tries=0
    is_root || { echo "needs root"; return 77; }
    $2 true 2>/dev/null && $3 true 2>/dev/null || { echo "unshare is refused"; return 77; }
    export USIPC_DIR=$1
    mkfifo "$SCRATCH/held.$$" || return
    timeout 30 env LD_PRELOAD="$LIBUSIPC" $2 "$BIN/lives" hold >"$SCRATCH/held.$$" &
    holder=$!
    read -r -n 1 byte <"$SCRATCH/held.$$"
    rm "$SCRATCH/held.$$"
    expect "held" r "$byte" && expect "seen" "1 1" "$(LD_PRELOAD=$LIBUSIPC guarded $3 "$BIN/lives" look)" || return
    # The child of timeout: the holder, or unshare, which takes the holder along.
    kill -KILL $(cat /proc/$holder/task/$holder/children)
    wait $holder 2>/dev/null
    while seen=$(LD_PRELOAD=$LIBUSIPC guarded $3 "$BIN/lives" look); [ "$seen" != "0 0" ] && [ $((tries += 1)) -lt 50 ]; do
        sleep 0.1
    done
    expect "after its death" "0 0" "$seen"
}

at_limit() { preloaded "$1" "$BIN/limits" "$2" | cat; [ "${PIPESTATUS[0]}" = 0 ]; }

read_only() {
    can_mount || { echo "needs root and mount namespaces"; return 77; }
    guarded unshare -m sh -c 'mount --bind "$1" "$1" && exec env USIPC_DIR="$1" LD_PRELOAD="$2" "$3" read_only "$1"' \
        sh "$1" "$LIBUSIPC" "$BIN/limits"
}

build lives "$HERE/lives.c" && {
    for mode in row crowd threads exec; do checked lives-$mode "$BIN/lives" $mode; done
    if is_root; then oracle lives-changes "$BIN/lives" changes; else skip lives-changes "needs root"; fi
    if same_pid; then
        oracle lives-same-pid unshare -p -f --mount-proc "$BIN/lives" pids
    else
        skip lives-same-pid "needs root and a pid namespace"
    fi
    if own_pid_max; then
        oracle lives-pid-wrap unshare -p -f --mount-proc sh -c 'echo 400 >/proc/sys/kernel/pid_max && exec "$1" wrap' sh "$BIN/lives"
    else
        skip lives-pid-wrap "needs root, and Linux 6.14 for a pid_max of its own"
    fi
    pid_ns="unshare -p -f --kill-child" user_ns="unshare -U -r"
    on_ours lives-pid-namespaces neighbours "$pid_ns" "$pid_ns"
    on_ours lives-user-namespaces neighbours "$user_ns" env
    on_ours lives-both-namespaces neighbours "$user_ns -p -f --kill-child" "$pid_ns"
}

build limits "$HERE/limits.c" && {
    for mode in files machine size memory; do on_ours limits-$mode at_limit $mode; done
    on_ours limits-read-only read_only
}

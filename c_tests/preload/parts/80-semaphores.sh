# Semaphores whose users are killed.

build crash_sem "$GROUND/crash_sem.c" && {
    for mode in mutex mutex3 transfer transfer-undo count; do
        checked "crash-sem-$mode" "$BIN/crash_sem" "$mode"
    done
}

build dead_sem "$GROUND/dead_sem.c" && {
    for mode in seen threads latency; do checked "dead-sem-$mode" "$BIN/dead_sem" $mode; done
}

killed_at_every_step() { GUARD_S=3600 preloaded "$1" "$BIN/crash_step"; }
build crash_step "$GROUND/crash_step.c" && on_ours crash-sem-steps killed_at_every_step

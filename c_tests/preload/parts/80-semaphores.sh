# Semaphores whose users are killed.

build crash_sem "$GROUND/crash_sem.c" && {
    for mode in mutex mutex3 transfer transfer-undo count seen latency; do
        checked "crash-sem-$mode" "$BIN/crash_sem" "$mode"
    done
}

#!/bin/bash
# Bad input: shared memory is untrusted, the file system may be full, names may lead anywhere.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"
. "$HERE/places.sh"

PROBE=$BIN/probe
HOSTILE=$BIN

scribbled() { GUARD_S=600 preloaded "$1" "$BIN/scribble" "$2" "$3"; }
scribbled_sem() { GUARD_S=600 preloaded "$1" "$BIN/scribble_sem" "$2"; }
own_limits() { preloaded "$1" "$BIN/full" fsize; }

small_fs() {
    can_mount || { echo "needs root and mount namespaces"; return 77; }
    mkdir -m 711 "$SCRATCH/small.$2" || return
    FULL=$BIN/full PROBE=$PROBE LIBUSIPC=$LIBUSIPC SCRATCH=$SCRATCH/small.$2 \
        GUARD_S=120 guarded unshare -m bash "$HERE/small_fs.sh" "$2"
}

strangers() {
    is_root || { echo "needs root"; return 77; }
    expect "who is taken to be alive" "the claimant lives: EBUSY
dead, a stranger holds one of its locks: 0
another claimant lives: EBUSY
the stranger is gone: EBUSY
dead: 0" "$(preloaded "$1" "$BIN/lives")"
}

build scribble "$HERE/scribble.c" && {
    for kind in msg mq shm; do
        checked "undamaged-$kind" "$BIN/scribble" $kind undamaged
        for mode in identity truncated live holder opener; do
            on_ours "scribble-$kind-$mode" scribbled $kind $mode
        done
    done
}

build scribble_sem "$HERE/scribble_sem.c" && {
    checked undamaged-sem "$BIN/scribble_sem" undamaged
    for mode in live holder opener; do on_ours "scribble-sem-$mode" scribbled_sem $mode; done
}

cut() { GUARD_S=120 preloaded "$1" "$BIN/cut" "$2"; }
build cut "$HERE/cut.c" && for kind in msg mq sem shm; do on_ours "cut-short-$kind" cut $kind; done

opening() { GUARD_S=120 preloaded "$1" "$BIN/opening" "$2"; }
build opening "$HERE/opening.c" && {
    for kind in msg mq sem shm; do on_ours "cut-while-opened-$kind" opening $kind; done
    on_ours swapped-files opening swapped
    on_ours spoilt-registry opening registry
}

of_others() {
    is_root || { echo "needs root"; return 77; }
    GUARD_S=120 preloaded "$1" "$BIN/foreign" "${@:2}"
}
build foreign "$HERE/foreign.c" && {
    for kind in msg mq sem shm; do on_ours "foreign-modes-$kind" of_others modes $kind; done
    on_ours foreign-creator of_others creator
    on_ours foreign-registration of_others signals
}

build socket "$HERE/socket.c" && build probe "$GROUND/probe.c" && {
    for case in replaced_msg replaced_key replaced_mq replaced_psem replaced_pshm replaced_procs hard_linked_lives foreign_lives garbage_keys garbage_names \
        spoilt_hints spoilt_semaphores cli_refuses; do
        on_ours "${case//_/-}" $case
    done
}

build full "$HERE/full.c" && {
    on_ours file-size-limit own_limits
    for case in $(sed -n 's/^case_\([a-z_]*\)().*/\1/p' "$HERE/small_fs.sh"); do
        on_ours "room-${case//_/-}" small_fs "$case"
    done
}

build lives "$HERE/lives.c" && on_ours lifeline-strangers strangers

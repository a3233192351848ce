#!/bin/bash
# Crash points: a process is killed after each instruction of a call, and another looks at what is left.
# POINTS: sample (make check), changes (soak), every (make crash-points); the latter two also kill the next caller.
# ONLY: a pattern of scenarios' names. JOBS: how many at once.
. "${0%/*}/../lib.sh"

if [ "$MODE" = soak ]; then : "${POINTS:=changes}"; else : "${POINTS:=sample}"; fi
: "${JOBS:=$(nproc)}"
[ "$POINTS" = sample ] || HANG_GUARD_S=14400

if [ "$(uname -m)" != x86_64 ]; then
    skip all "steps are told apart on x86-64 only"
    exit
fi
# Bound at once: the dynamic linker's work is no part of a call.
compile points "$HERE"/*.c -Wl,-z,now || exit 1

# one NAME HOW...: a scenario in a namespace of its own.
one() {
    local name=$1 dir out status counts
    dir=$(fresh_namespace) || return
    out=$SCRATCH/$1.${*:2:1}
    on_usipc "$dir" "$BIN/points" "$@" >"$out" 2>&1
    status=$?
    rm -rf "$dir"
    [ "${2:-}" != second ] || name=$name-second
    counts=$(tail -n 1 "$out")
    if [ $status = 0 ]; then
        echo "ok $GROUP/$name (${counts#*: })"
    else
        # In one piece: others are printing too.
        printf '%s\n' "$(fail "$name" "status $status"; below "$out")"
    fi
}

in_turn() {
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
    one "$@" &
}

dir=$(fresh_namespace) || exit 1
on_usipc "$dir" "$BIN/points" list >"$SCRATCH/list"
rm -rf "$dir"
while read -r name second; do
    case $name in ${ONLY:-*}) ;; *) continue ;; esac
    if [ "$POINTS" = sample ]; then
        # Where nobody calls it takes a second each; and this one goes through all descriptors.
        case $name in *-quiet | mq_notify-null) continue ;; esac
        in_turn "$name" sample 3
        [ -z "$second" ] || in_turn "$name" second 2
        continue
    fi
    case $POINTS-$name in every-*-quiet) in_turn "$name" changes ;; *) in_turn "$name" "$POINTS" ;; esac
    [ -z "$second" ] || in_turn "$name" second
done <"$SCRATCH/list"
wait

#!/bin/bash
# The differential test: the same random calls on the kernel and on usipc must give the same trace.
#
#   MODE=check  DIFFERENTIAL_SEEDS (fixed), DIFFERENTIAL_CALLS each: at least 200,000 calls on queues and as many on
#               semaphores and shared memory, on each side
#   MODE=soak   fresh seeds for SOAK_SECONDS (600), or until the third difference
#
# A seed is a number, or KIND:NUMBER for a run with one kind alone: queues, semaphores or memory.
# DIFFERENTIAL_OPTIONS are more options for both sides, such as --avoid exec.
# SUBJECT=kernel compares the kernel with itself: that must never differ.
. "${0%/*}/../lib.sh"
. "$HERE/sides.sh"

: "${DIFFERENTIAL_SEEDS:=1 2 3 4 queues:5 semaphores:6 memory:7}"
: "${DIFFERENTIAL_CALLS:=100000}"
: "${SOAK_SECONDS:=600}"
CALLS_TO_CHECK=200000
on_queues=0 on_others=0 differences=0

# one_seed SEED CALLS
one_seed() {
    local seed=${1#*:} kind=${1%:*} calls=$2 name=seed-${1/:/-} verdict status options
    local base=$SCRATCH/$name
    [ "$kind" != "$1" ] || kind=all
    options=(--seed "$seed" --calls "$calls" --only "$kind" ${AVOID[@]+"${AVOID[@]}"})
    both "$base" "${options[@]}"
    verdict=$(compare_traces "$base" 2>&1)
    status=$?
    if [ "$status" = 0 ] && ! tail -n 1 "$base.kernel" | grep -q '^done'; then
        fail "$name" "both sides stopped before the end"
        tail -n 15 "$base.kernel" | below
    elif [ "$status" = 0 ] && [ -s "$base.usipc.left" ]; then
        fail "$name" "left behind at the end"
        below "$base.usipc.left"
    elif [ "$status" = 0 ]; then
        pass "$name"
        echo "    $verdict"
        count $verdict
    else
        differences=$((differences + 1))
        fail "$name" "not the same trace as on the kernel"
        printf '%s\n' "$verdict" | below
        sort "$base.usipc.err" | uniq -c | BELOW_LINES=5 below
        echo "    to take it apart: c_tests/differential/minimise.sh ${options[*]}"
    fi
    rm -f "$base".*
}

# count N calls equal, N of them on queues ...
count() {
    on_queues=$((on_queues + $4))
    on_others=$((on_others + $1 - $4))
}

random_seed() {
    local kinds=(all all all queues semaphores memory)
    echo "${kinds[RANDOM % 6]}:$((RANDOM << 15 | RANDOM))"
}

prepare traces

case $MODE in
soak)
    end=$((SECONDS + SOAK_SECONDS))
    while [ $SECONDS -lt $end ] && [ $differences -lt 3 ]; do
        one_seed "$(random_seed)" $((DIFFERENTIAL_CALLS * 3))
    done
    ;;
*)
    for seed in $DIFFERENTIAL_SEEDS; do one_seed "$seed" "$DIFFERENTIAL_CALLS"; done
    if [ $on_queues -ge $CALLS_TO_CHECK ] && [ $on_others -ge $CALLS_TO_CHECK ]; then
        pass "calls"
    elif [ $differences = 0 ]; then
        fail "calls" "not the $CALLS_TO_CHECK calls promised of each"
    fi
    ;;
esac
echo "    $on_queues calls on queues compared, $on_others on semaphores and shared memory"

#!/bin/bash
# The differential test: the same random calls on the kernel and on usipc must give the same trace.
#
#   MODE=check  DIFFERENTIAL_SEEDS (fixed), DIFFERENTIAL_CALLS each: at least 200,000 calls on each side
#   MODE=soak   fresh seeds for SOAK_SECONDS (600), or until the third difference
#
# SUBJECT=kernel compares the kernel with itself: that must never differ.
. "${0%/*}/../lib.sh"
. "$HERE/sides.sh"

: "${DIFFERENTIAL_SEEDS:=1 2 3 4 5 6}"
: "${DIFFERENTIAL_CALLS:=100000}"
: "${SOAK_SECONDS:=600}"
CALLS_TO_CHECK=200000
compared=0 differences=0

# one_seed SEED CALLS
one_seed() {
    local seed=$1 calls=$2 base=$SCRATCH/seed-$1 verdict status
    both "$base" --seed "$seed" --calls "$calls" ${AVOID[@]+"${AVOID[@]}"}
    verdict=$(compare_traces "$base" 2>&1)
    status=$?
    if [ "$status" = 0 ] && ! tail -n 1 "$base.kernel" | grep -q '^done'; then
        fail "seed-$seed" "both sides stopped before the end"
        tail -n 15 "$base.kernel" | below
    elif [ "$status" = 0 ] && [ -s "$base.usipc.left" ]; then
        fail "seed-$seed" "left behind at the end"
        below "$base.usipc.left"
    elif [ "$status" = 0 ]; then
        pass "seed-$seed"
        echo "    $verdict"
        compared=$((compared + ${verdict%% *}))
    else
        differences=$((differences + 1))
        fail "seed-$seed" "not the same trace as on the kernel"
        printf '%s\n' "$verdict" | below
        sort "$base.usipc.err" | uniq -c | BELOW_LINES=5 below
        echo "    to take it apart: c_tests/differential/minimise.sh --seed $seed --calls $calls ${AVOID[*]-}"
    fi
    rm -f "$base".*
}

prepare traces

case $MODE in
soak)
    end=$((SECONDS + SOAK_SECONDS))
    while [ $SECONDS -lt $end ] && [ $differences -lt 3 ]; do
        one_seed "$((RANDOM << 15 | RANDOM))" $((DIFFERENTIAL_CALLS * 3))
    done
    echo "    $compared calls compared"
    ;;
*)
    for seed in $DIFFERENTIAL_SEEDS; do one_seed "$seed" "$DIFFERENTIAL_CALLS"; done
    if [ $compared -ge $CALLS_TO_CHECK ]; then
        pass "calls"
    elif [ $differences = 0 ]; then
        fail "calls" "only $compared calls compared, of the $CALLS_TO_CHECK promised"
    fi
    echo "    $compared calls compared"
    ;;
esac

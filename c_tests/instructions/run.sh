#!/bin/bash
# Instructions in a call that need not wait, counted by callgrind: the same binary on the same input, so without
# noise. None may take over 5 % more than the file `counts` says.
#
#     UPDATE=1 c_tests/check.sh instructions    writes `counts` anew
#
# The counts hold for one compiler and one processor architecture, which the file names.

. "${0%/*}/../lib.sh"

COUNTS=$HERE/counts
MORE_PERCENT=5
CALLS="mq_send mq_receive msgsnd msgrcv semop msgctl semctl shmctl"
MADE_BY="$(rustc -V 2>/dev/null) $(uname -m)"

# collected CALL N: instructions in all calls of CALL, when the program makes N (semop: 2 N).
collected() {
    local dir status
    dir=$(fresh_namespace) || return
    USIPC_DIR=$dir timeout -k 5 "$HANG_GUARD_S" env LD_PRELOAD="$LIBUSIPC" valgrind --tool=callgrind \
        --callgrind-out-file="$SCRATCH/out" --toggle-collect="$1" "$BIN/calls" "$1" "$2" >"$SCRATCH/$1.log" 2>&1
    status=$?
    rm -rf "$dir"
    [ $status = 0 ] && awk '$1 == "summary:" { print $2 }' "$SCRATCH/out"
}

# The first calls do more, so: what a thousand more cost.
count() {
    local few many calls=1000
    [ "$1" != semop ] || calls=2000
    few=$(collected "$1" 100) && many=$(collected "$1" 1100) && [ -n "$few" ] && [ -n "$many" ] &&
        [ "$many" -gt "$few" ] && echo $(((many - few + calls / 2) / calls))
}

compare() {
    local call=$1 now=$2 before
    before=$(awk -v call="$call" '$1 == call { print $2 }' "$COUNTS")
    if [ -z "$before" ]; then
        fail "$call" "is not in $COUNTS; UPDATE=1 c_tests/check.sh instructions writes it"
    elif [ $((now * 100)) -gt $((before * (100 + MORE_PERCENT))) ]; then
        fail "$call" "takes $now instructions, was $before (if it must: UPDATE=1 c_tests/check.sh instructions)"
    else
        pass "$call ($now instructions, was $before)"
    fi
}

if ! command -v valgrind >/dev/null; then
    skip all "no valgrind (type: apt-get install valgrind)"
    exit 0
fi
if [ "${UPDATE:-}" != 1 ] && [ "$(sed -n 's/^# made by //p' "$COUNTS")" != "$MADE_BY" ]; then
    skip all "the counts are by another compiler ($(sed -n 's/^# made by //p' "$COUNTS")), here: $MADE_BY"
    exit 0
fi
compile calls "$HERE/calls.c" || exit 0
[ "${UPDATE:-}" != 1 ] || echo "# made by $MADE_BY" >"$SCRATCH/counts"
for call in $CALLS; do
    if ! now=$(count "$call"); then
        fail "$call" "could not be counted"
        below "$SCRATCH/$call.log"
        UPDATE=failed
    elif [ "${UPDATE:-}" = 1 ]; then
        echo "$call $now" >>"$SCRATCH/counts"
        pass "$call ($now instructions noted)"
    else
        compare "$call" "$now"
    fi
done
# All of them, or none.
[ "${UPDATE:-}" != 1 ] || cp "$SCRATCH/counts" "$COUNTS"

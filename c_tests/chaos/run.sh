#!/bin/bash
# Chaos: workers that block in every kind of call are killed, stopped, and run themselves anew.
#     CHAOS_S=20 c_tests/check.sh chaos    for 20 seconds each
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

build chaos "$HERE/chaos.c" && {
    checked chaos-kill "$BIN/chaos" kill
    # One long enough for all that is rare, two long enough to show that they work.
    : "${CHAOS_S:=3}"
    export CHAOS_S
    checked chaos-stop "$BIN/chaos" stop
    checked chaos-exec "$BIN/chaos" exec
}

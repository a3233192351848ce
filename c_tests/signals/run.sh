#!/bin/bash
# Signals anywhere: faults of the program's own, handlers that strike in the midst of every call,
# cancellation at random moments. The kernel's run comes first.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

# Where a core goes that is dumped.
cd "$SCRATCH" || exit

for program in faults fault_handlers; do
    compile $program "$HERE/$program.c" || continue
    for part in $("$BIN/$program" --list); do oracle "${program//_/-}.$part" "$BIN/$program" "$part"; done
done

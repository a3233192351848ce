#!/bin/bash
# Signals anywhere: faults of the program's own, handlers that strike in the midst of every call, queued
# signals, notifications that are registered anew, cancellation at random moments. The kernel's run comes first.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

# Where a core goes that is dumped.
cd "$SCRATCH" || exit

for program in faults fault_handlers; do
    compile $program "$HERE/$program.c" || continue
    for part in $("$BIN/$program" --list); do oracle "${program//_/-}.$part" "$BIN/$program" "$part"; done
done

build anywhere "$HERE/anywhere.c" &&
    for what in messages semaphores notify forks jumps; do checked anywhere-$what "$BIN/anywhere" $what; done

build queued "$HERE/queued.c" &&
    for how in handler masks replaced taken; do checked queued-$how "$BIN/queued" $how; done

build renotify "$HERE/renotify.c" -rdynamic &&
    for what in busy steady ahead taken child refused; do
        checked renotify-$what-direct "$BIN/renotify" $what 0
        checked renotify-$what-thread "$BIN/renotify" $what 66
    done

cancelled() { # HOW
    for kind in msgrcv msgsnd mq_receive mq_send mq_timedreceive sem_wait; do
        checked "cancel-$kind-$1" "$BIN/cancel_$1" $kind
    done
}
build cancel_plain "$HERE/cancel.c" && cancelled plain
build cancel_exceptions "$HERE/cancel.c" -fexceptions && cancelled exceptions
if command -v "${CXX%% *}" >/dev/null; then
    compile_cxx cancel_cxx -x c++ -fexceptions -Wno-missing-field-initializers -I"$GROUND" "$HERE/cancel.c" && cancelled cxx
else
    skip cancel-cxx "no C++ compiler '$CXX' (Debian: apt-get install g++)"
fi

#!/bin/bash
# Waiting: what it costs while nothing comes, and what ends it while a thread still polls before it sleeps.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

build spinning "$HERE/spinning.c" &&
    for what in msgrcv msgsnd semop mq_receive mq_send; do checked "signal-$what" "$BIN/spinning" $what; done
[ -x "$BIN/spinning" ] &&
    for what in msgrcv msgsnd semop; do checked "signal-$what-restart" "$BIN/spinning" $what restart; done

processes=1000
[ "$(ulimit -u)" = unlimited ] || [ "$(ulimit -u)" -gt 3000 ] || processes=200
build idle "$HERE/idle.c" &&
    for what in msgrcv mq_receive semop undo; do checked "idle-$what" "$BIN/idle" $what $processes; done

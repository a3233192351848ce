#!/bin/bash
# What queues, semaphores and the library itself cost in memory; these numbers hold for usipc alone, not for the
# kernel. A POSIX queue reserves its memory when it is opened, a System V queue grows with what it holds,
# a set of semaphores with those who sleep and with what is to be undone.

. "${0%/*}/../lib.sh"

compile use "$HERE/use.c" || exit 0
compile use_sem "$HERE/use_sem.c" || exit 0

# Bytes of tmpfs behind the queues under a directory; its dot files belong to the namespace as a whole.
bytes_under() { find "$1" -type f ! -name '.*' -printf '%b\n' | awk '{ blocks += $1 } END { printf "%d\n", blocks * 512 }'; }

# at_most NAME MEASURED LIMIT
at_most() {
    if [ "$2" -le "$3" ]; then pass "$1"; else fail "$1" "costs $2, the limit is $3"; fi
}

run_use() { run_in_fresh "$1" use "${@:2}"; }

# run_in_fresh NAME PROGRAM ARGS...: runs the program in a fresh namespace $dir, its output in $output.
run_in_fresh() {
    local name=$1 program=$2; shift 2
    dir=$(fresh_namespace)
    output=$(on_usipc "$dir" "$BIN/$program" "$@" 2>"$SCRATCH/err") && return 0
    fail "$name" "$program $* failed"
    below "$SCRATCH/err"
    rm -rf "$dir"
    return 1
}

empty_mq() {
    run_use "$@" || return
    at_most "$1" "$(bytes_under "$dir/mq")" $((128 * 1024))
    rm -rf "$dir"
}

# A FIFO whose poller has gone, and the link that keeps the queue's memory, go when somebody closes the queue.
nothing_left() {
    run_use "$1" left || return
    at_most "$1" "$(find "$dir/poll" "$dir/mq" -mindepth 1 | wc -l)" 0
    rm -rf "$dir"
}

# filled NAME SIZE COUNT: payload plus 64 bytes a message, half again, plus what an empty queue may cost.
filled() {
    local name=$1 sizes=$2 count=$3
    run_use "$name" msg "$sizes" "$count" || return
    [ "$sizes" != drained ] || count=0
    at_most "$name" "$(bytes_under "$dir/msg")" $(((output + 64 * count) * 3 / 2 + 32 * 1024))
    rm -rf "$dir"
}

ORACLE_ENV="USIPC_MSGMNB=64M"
empty_mq empty_mq mq
empty_mq empty_mq_polled mq poll
nothing_left left_mq
filled empty_msg 0 0
filled drained_msg drained 2000
for size in 0 1 64 1000 8192 mixed; do
    for count in 1 3 10 50 200 1000 4000; do filled "msg_${size}_x_$count" "$size" "$count"; done
done
filled msg_0_x_20000 0 20000
filled msg_1_x_20000 1 20000

private_memory() {
    local without costs=()
    # The pages of a library just built count as dirty until they are written.
    sync "$LIBUSIPC"
    have_kernel || { skip private "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    # The median: where in its first page a stack begins is chance, and so is whether it needs one more.
    for _ in {1..9}; do
        without=$(on_kernel "$BIN/use" private) || { fail private "the kernel run failed"; return; }
        run_use private private || return
        rm -rf "$dir"
        costs+=($((output - without)))
    done
    at_most private_kib "$(printf '%s\n' "${costs[@]}" | sort -n | sed -n 5p)" 64
}
private_memory

# sem_cost NSEMS USE PAGES: the file, and what of it is mapped in, is at most so large.
sem_cost() {
    local name=sem_${1}_$2
    run_in_fresh "$name" use_sem "$1" "$2" || return
    at_most "$name" "$(bytes_under "$dir/sem")" $(($3 * 4096))
    at_most "${name}_resident" "$output" $(($3 * 4096))
    rm -rf "$dir"
}

for nsems in 1 16; do
    for use in idle used; do sem_cost $nsems $use 2; done
    for use in setall undo held slept; do sem_cost $nsems $use 4; done
done
# 20 bytes a semaphore, and 16 more once there was a SETALL; adjustments: 64 bytes for 16 of them.
for use in idle used; do sem_cost 32000 $use 160; done
for use in setall slept; do sem_cost 32000 $use 288; done
for use in undo held; do sem_cost 32000 $use 320; done

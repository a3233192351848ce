# Two threads count, in turns kept by a semaphore without a name.
. "$SESSION"

run thread_incr_psem 1
run thread_incr_psem 50000
run thread_incr_psem word

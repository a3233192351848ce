# Threads that make and use the same semaphores, a producer and a consumer, a wait ended by a signal: on the system's semaphores.
. "$SESSION"
export PX_IPC_NAME=/

run prodcons1
run prodcons1 0
run prodcons1 1
run prodcons1 10
run prodcons1 5000
run testeintr
run testsem
run testsem 1 1 1
run testsem 3 7 1000
run testsem 20 8 100
run testsem 2 3 2
# Names below another directory are refused.
unset PX_IPC_NAME
run prodcons1 10
run testeintr
run testsem 1 1 1

# A producer and a consumer, and a wait ended by a signal: on the system's semaphores.
. "$SESSION"
export PX_IPC_NAME=/

run prodcons1
run prodcons1 0
run prodcons1 1
run prodcons1 10
run prodcons1 5000
run testeintr
# Names below another directory are refused.
unset PX_IPC_NAME
run prodcons1 10
run testeintr

# The consumer takes the mutex before it knows that there is something to take: both sleep for ever. The names are left.
. "$SESSION"
export PX_IPC_NAME=/

begin deadlock 1000000
threads_asleep
run semgetvalue /mutex
run deadlock 1
run kill -TERM %job
ended
for name in mutex nempty nstored; do run semunlink /$name; done
run prodcons1 100

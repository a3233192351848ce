# A counter in shared memory and a named semaphore for it.
. "$SESSION"
export PX_IPC_NAME=/

run %d client1 shm sem 1
run server1 shm sem
start %a client1 shm sem 3
ended %a
start %b client1 shm sem 2
ended %b
# Several at once: every number comes once.
run server1 shm sem
for client in a b c; do start %$client client1 shm sem 1000; done
for client in a b c; do outcome $client; echo "%$client = $?"; done
sort -nk 3 "$outputs"/{a,b,c} | cut -d ' ' -f 3 | cmp - <(seq 0 2999) && echo "0 to 2999"
sort -nk 3 "$outputs"/{a,b,c} | cut -d : -f 1 | sort | uniq -c | sed 's/pid.*//'
# Without the counter; names that cannot be.
run shmunlink /shm
run %d client1 shm sem 1
run server1 shm a/b
run server1 a/b sem
run %d client1 shm sem 1
run server1
run client1 shm sem

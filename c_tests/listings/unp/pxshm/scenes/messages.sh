# Clients send messages to a server through sixteen places in shared memory.
. "$SESSION"
export PX_IPC_NAME=/

run client2 shm 1 0
begin %server server2 shm
start %a client2 shm 3 1000
ended %a
lines %server 3
# While the server is stopped there is room for sixteen; the rest is counted.
asleep %server
run kill -STOP %server
start %b client2 shm 20 0
ended %b
start %c client2 shm 2 0
ended %c
run kill -CONT %server
lines %server 20
asleep %server
run kill -TERM %server
ended %server
run server2
run client2 shm 1
run server2 a/b
run shmunlink /shm
run client2 shm 1 0

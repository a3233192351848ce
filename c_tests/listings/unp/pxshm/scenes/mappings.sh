# The ends of a mapping, an object that grows, two addresses of one object.
. "$SESSION"
export PX_IPC_NAME=/

run test1 shm 5000 5000
run test1 shm 5000 15000
run test1 shm 15000 5000
run test1 shm 0 4096
run test1 shm 8192 0
run test1 a/b 1 1
run test1
run test2
run test2
run sh -c "./shmread /test.data 2>&1 | cksum"
tidy='s/0x[0-9a-f]+/ADDRESS/g'
run sh -c "./test3 shm | sort"
run test3
run test3 a/b

# Objects made, written by one process and read by others, removed; and everything that is wrong.
. "$SESSION"

run shmcreate /shm 1234
run shmcreate /shm 1234
run shmcreate -e /shm 1234
run sh -c './shmread /shm 2>&1 | cksum'
run shmwrite /shm
run shmread /shm
# Made shorter, and longer again: zeros.
run shmcreate /shm 3
run shmread /shm
run shmcreate /shm 6
run shmread /shm
run shmunlink /shm
run shmunlink /shm
run shmread /shm
run shmwrite /shm
run shmcreate -e /shm 0
run shmread /shm
run shmcreate /shm -1
run shmunlink /shm
run shmcreate noslash 10
run shmread /noslash
run shmunlink noslash
run shmcreate / 10
run shmcreate /a/b 10
for program in shmcreate shmwrite shmread shmunlink; do run $program; done
run shmcreate /shm
run shmcreate -x /shm 1

# Segments of files: made, written by one process and read by others, removed; and everything that is wrong.
. "$SESSION"

: >file
run shmget file 12345
run shmget file 12345
run shmget file 100
run shmget file 12346
run shmget -e file 12345
run sh -c './shmread file 2>&1 | cksum'
run shmwrite file
run shmread file
known 0 shm
run shmreadid @0
run shmrmid file
run shmread file
run shmreadid @0
run shmwrite file
run shmrmid file
run shmget file 4
run shmread file
run shmrmid file
run shmget file 0
run shmget file -1
run shmget nowhere 1
run shmget
run shmget file
run shmget -x file 1
for program in shmwrite shmread shmreadid shmrmid; do run $program; done

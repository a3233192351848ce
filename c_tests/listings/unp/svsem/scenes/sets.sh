# Sets of files: made, set, operated on, removed; and everything that is wrong.
. "$SESSION"

: >file
run semcreate file 3
run semcreate file 2
run semcreate file 4
run semcreate -e file 3
run semgetvalues file
run semsetvalues file 1 2 3
run semgetvalues file
run semsetvalues file 1 2
run semsetvalues file 1 2 3 4
run semsetvalues file 1 2 32768
run semsetvalues file 0 0 32767
run semgetvalues file
run semops file 0 0 1
run semops file 1 2 -1
run semgetvalues file
# All or nothing.
run semops -n file -1 -3 0
run semgetvalues file
run semops -n file -1 -2 0
run semops -n file 0 0 -32766
run semgetvalues file
run semops file 0 0 0 0
run semops -n -- file -1
known 0 sem
run semopsid @0 5
run semopsid -n @0 -6
run semgetvalues file
run semrmid file
run semrmid file
run semgetvalues file
run semsetvalues file 1 2 3
run semops file 1
run semopsid @0 1
run semcreate file 0
run semcreate file 1000000
run semcreate nowhere 1
for program in semcreate semgetvalues semsetvalues semops semopsid semrmid; do run $program; done
run semcreate -x file 1
run semops -x file 1
run semops file
run semopsid 1

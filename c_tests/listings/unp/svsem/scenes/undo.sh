# -u: what an operation did is undone when the process ends, whatever ends it.
. "$SESSION"

: >file
run semcreate file 3
run semsetvalues file 1 2 3
run semops -u file -1 -2 -3
run semgetvalues file
run semops file -1 -2 -3
run semgetvalues file
run semops -u file 3 2 1
run semgetvalues file
# Who waits has done nothing yet: nothing is to be undone.
begin semops -u file -1 -1 -1
run semops file 1 1
run semgetvalues file
run kill -KILL %job
ended
run semgetvalues file
# What is given for a moment is enough for who waits, and no value goes below zero.
begin semops file -1 -1 -1
run semops -u file 1 1 1
ended
run semgetvalues file
# What is taken for a moment: who waits for zero goes on.
run semsetvalues file 7 7 7
begin semops file 0 1
run semops -u file -7
ended
run semgetvalues file
run semops -nu file -8
known 0 sem
run semopsid -u @0 -1 1 -7
run semgetvalues file
run semrmid file

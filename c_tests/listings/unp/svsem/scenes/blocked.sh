# Operations that wait: for a value, for zero (0), for several at once; and the set goes.
. "$SESSION"

: >file
run semcreate file 3
run semsetvalues file 1 1 0
begin %value semops file 1 1 -1
run semgetvalues file
run semops file 1 1 1
ended %value
run semgetvalues file
begin %zero semops file 1 0 1
run semops -n file -1 0 -1
run semgetvalues file
run semops file -3 -3 0
ended %zero
run semgetvalues file
# Who waits for much is passed over by who waits for little.
run semsetvalues file 0 0 0
begin %many semops file -5
begin %few semops file -1
run semops file 2
ended %few
run semgetvalues file
run semops file 4
ended %many
run semgetvalues file
# The set goes; who waits learns of it.
begin %byname semops file -1 -1 -1
known 0 sem
begin %byid semopsid @0 -9
run semrmid file
ended %byname
ended %byid

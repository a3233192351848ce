# Named semaphores: made, taken, given, removed; and everything that is wrong.
. "$SESSION"

run semcreate /sem
run semgetvalue /sem
run semcreate -e /sem
run semcreate -i 9 /sem
run semgetvalue /sem
run sempost /sem
run semgetvalue /sem
# It keeps what it has taken, though it is killed.
begin %a semwait /sem
begin %b semwait /sem
lines %a 1
lines %b 1
# The third waits.
begin %c semwait /sem
run semgetvalue /sem
run kill -KILL %a
ended %a
run semgetvalue /sem
# It is stopped, so that sempost sees its own gift.
run kill -STOP %c
run sempost /sem
run kill -CONT %c
lines %c 1
asleep %c
run semgetvalue /sem
# The name goes, the semaphore stays with those who have it.
run semunlink /sem
run semunlink /sem
run semgetvalue /sem
run kill -TERM %b %c
ended %b
ended %c
run semcreate -e -i 2147483647 /largest
run semgetvalue /largest
run sempost /largest
run semcreate -i -1 /larger
run semcreate -i 0 noslash
run semgetvalue /noslash
run semunlink noslash
run semcreate /
run semcreate /a/b
run semwait /nowhere
run sempost /nowhere
for program in semcreate semgetvalue semwait sempost semunlink; do run $program; done
run semcreate -i
run semcreate -x /sem
run semsysconf

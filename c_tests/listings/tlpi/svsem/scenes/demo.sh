# One semaphore: operations that wait for each other, who waits as svsem_mon shows it, the end of the set.
. "$SESSION"
tidy='s/[0-9]{2}:[0-9]{2}:[0-9]{2}/TIME/; s/ +%/ %/g; s/^[0-9]+: /PID: /'

create 0 svsem_demo 0
run svsem_rm @0
run svsem_demo @0 1
create 1 svsem_create -p 1
run %setter svsem_setall @1 0
run svsem_mon @1
# Two wait for a unit each, one for more.
begin %one svsem_demo @1 -1
begin %two svsem_demo @1 -2
begin %three svsem_demo @1 -1
run svsem_mon @1
run %poster svsem_demo @1 2
ended %one
ended %three
run svsem_mon @1
# One waits for zero while the value rises and falls.
run %up svsem_demo @1 1
begin %zero svsem_demo @1 0
run svsem_mon @1
run %up svsem_demo @1 1
ended %two
ended %zero
run svsem_mon @1
run svsem_demo @1 0
# Overflow, and the value that is as large as can be.
run %most svsem_demo @1 32767
run svsem_demo @1 1
run svsem_mon @1
run svsem_demo @1 -32767
# The set goes.
begin %left svsem_demo @1 -1
begin %right svsem_demo @1 -5
run svsem_rm @1
ended %left
ended %right
run svsem_mon @1

# Semaphores made and opened, taken, waited for, with and without a time.
. "$SESSION"
tidy='s/^[0-9]+ sem/PID sem/'

run psem_create -cx /demo 660 0
run psem_create -cx /demo 660 0
run psem_create -c /demo 600 9
run psem_create /demo
run psem_getvalue /demo
begin %one psem_wait /demo
begin %two psem_wait /demo
run psem_getvalue /demo
run psem_post /demo
run psem_post /demo
ended %one
ended %two
run psem_post /demo
run psem_getvalue /demo
run psem_trywait /demo
run psem_trywait /demo
run psem_timedwait /demo 1
run psem_timedwait /demo 0
run psem_timedwait /demo -1
begin %timed psem_timedwait /demo 60
run psem_post /demo
ended %timed
# Who is killed while it waits takes nothing.
begin %dead psem_wait /demo
run kill -KILL %dead
ended %dead
run psem_post /demo
run psem_getvalue /demo
# A semaphore without a name lives on in those who have it.
run psem_trywait /demo
begin %last psem_timedwait /demo 3
run psem_unlink /demo
run psem_unlink /demo
run psem_post /demo
run psem_create -cx /demo 600 5
run psem_post /demo
run psem_getvalue /demo
ended %last
run psem_unlink /demo

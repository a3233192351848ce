# Binary semaphores with and without undo, a wait that a signal ends; event flags.
. "$SESSION"

create 0 svsem_create -p 1
run t_binary_sems @0 inuse release reserve release
# Not binary: nobody looks whether it is available already.
run t_binary_sems @0 available release reserve reserve
run t_binary_sems -e @0 reserve
begin t_binary_sems @0 reserve release
run t_binary_sems @0 release
ended
# Who holds it and is killed: without undo it stays in use, with undo it does not.
run t_binary_sems @0 available
start %holder t_binary_sems @0 reserve hold
lines %holder 1
run kill -KILL %holder
ended %holder
run t_binary_sems -e @0 reserve
run t_binary_sems @0 available
start %holder t_binary_sems -u @0 reserve hold
lines %holder 1
begin %next t_binary_sems -u @0 reserve
run kill -KILL %holder
ended %holder
ended %next
run t_binary_sems @0 reserve release

create 1 svsem_create -p 2
run t_event_flags @1 state 0
run t_event_flags @1 wait 0
run t_event_flags @1 clear 0
run t_event_flags @1 state 0
begin %a t_event_flags @1 wait 0
begin %b t_event_flags @1 wait 0
run t_event_flags @1 state 1
run t_event_flags @1 set 0
ended %a
ended %b
run t_event_flags @1 state 0
run t_event_flags @1 set 2
run t_event_flags @1 clear 1
begin %c t_event_flags @1 wait 1
run svsem_rm @0 @1
ended %c

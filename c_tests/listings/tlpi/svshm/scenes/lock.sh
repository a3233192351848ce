# Segments that are locked and unlocked, by root.
. "$SESSION"
tidy='/PID/s/: +[0-9]+$/: PID/'

create 0 svshm_create -p 100000
create 1 svshm_create -p 1 0
begin %locker svshm_lock @0 @1
run svshm_mon @0
run svshm_unlock @0
run svshm_mon @0
run svshm_mon @1
run svshm_lock @1 123456
run svshm_unlock 123456
ended %locker
run svshm_mon @1
run svshm_rm @1 @0

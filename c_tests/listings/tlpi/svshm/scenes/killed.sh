# Who is killed while it has a segment attached no longer counts; a segment that was removed goes with him.
. "$SESSION"
tidy='s/[0-9]+(:0R? ==> ).*/ID\1?/; s/PID = [0-9]+/PID = PID/; s/ +%/ %/g'

create 0 svshm_create -p 5000
begin %a svshm_attach @0:0
lines %a 3
begin %b svshm_attach @0:0R @0:0
lines %b 4
count() { ./svshm_mon "${ids[0]}" | grep -a -e attached -e Mode -e attach/detach >"$outputs/_"; shown _; }
count
run kill -KILL %b
ended %b
count
run svshm_rm @0
count
run kill -KILL %a
ended %a
run svshm_mon @0
run svshm_info

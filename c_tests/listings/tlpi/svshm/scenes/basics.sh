# Segments found by key and file, what is known of them, attached in several places, locked, removed while attached.
. "$SESSION"
# Where the system chose the address; pids of programs that are not named.
tidy='s/[0-9]+(:0R? ==> ).*/ID\1?/; s/: [0-9]+(:0x)/: ID\1/; s/PID = [0-9]+/PID = PID/; /PID/s/: +[0-9]+$/: PID/; s/shmat: [0-9]+/shmat: ID/'

create 0 svshm_create -c -k 0x1234 10000 640
create 1 svshm_create -k 0x1234 0
same 0 1
create 2 svshm_create -c -x -k 0x1234 10000
create 3 svshm_create -k 0x1234 10001
create 4 svshm_create -k 0x99 1
create 5 svshm_create -p 4096
touch file
create 6 svshm_create -c -f file 1
create 7 svshm_create -f file 1
same 6 7
run svshm_info
run svshm_mon @0
begin %a svshm_attach @0:0 @0:0R @5:0x40000000 @6:0x50000123r @6:0x60000fffrR
lines %a 7
run svshm_mon @0
run svshm_mon @6
run svshm_attach @0:0x40000001
run svshm_attach @0:123
run svshm_attach 123456:0
# Removed while it is attached: no key leads to it, but its id still does.
run svshm_rm @0
create 8 svshm_create -k 0x1234 1
run svshm_mon @0
run svshm_info
ended %a
run svshm_mon @0
run svshm_mon @5
run svshm_rm @5 @6
run svshm_info

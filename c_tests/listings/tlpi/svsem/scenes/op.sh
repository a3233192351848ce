# Arrays of operations: all or none, IPC_NOWAIT, SEM_UNDO of processes that end or are killed while they hold.
. "$SESSION"
tidy='s/[0-9]{2}:[0-9]{2}:[0-9]{2}/TIME/; s/^ +//; s/PID=[0-9]+/PID=?/; s/^[0-9]+, /?, /; s/ +%/ %/g'

create 0 svsem_create -c -k 0x77 3 600
create 1 svsem_create -k 0x77 0
same 0 1
run svsem_create -c -x -k 0x77 3
run svsem_create -k 0x77 4
run svsem_setall @0 1 2
run svsem_setall @0 1 2 40000
run %setter svsem_setall @0 1 2 0
run svsem_mon @0
run %all svsem_op @0 0-1,1-2,2+3
run svsem_mon @0
# The second of them would have to wait: nothing is done.
run svsem_op @0 2-1n,0-1n
run %none svsem_op @0 2-3,0=0,1=0
run svsem_mon @0
run svsem_op @0 3+1
run svsem_op @0 0+1 1+1n 2=0n
# It holds one of each until it ends; one waits for them.
run %setter2 svsem_setall @0 1 1 0
begin %holder svsem_op @0 0-1u,1-1u 2-1
begin %next svsem_op @0 1-1u,0-1
run svsem_op @0 0-1n
run svsem_mon @0
run kill -KILL %holder
ended %holder
ended %next
# What %next took of 1 came back at its end, what it took of 0 did not.
run svsem_op @0 0-1n
run svsem_op @0 1-1n,1+1n
# An undo that would go below zero stops there.
run svsem_op @0 0+3u
run svsem_op @0 0=0n
begin %adder svsem_op @0 0+3u 2-1
run %taker svsem_op @0 0-2
run kill -TERM %adder
ended %adder
run svsem_op @0 0=0n
# SETALL forgets what there was to undo.
begin %forgotten svsem_op @0 0+3u 2-1
run svsem_setall @0 5 0 1
ended %forgotten
run svsem_op @0 0-5n,0=0n
run svsem_info
run svsem_rm @0
run svsem_rm @0
run svsem_info

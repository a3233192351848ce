# Command lines that are wrong.
. "$SESSION"
tidy='s/PID = [0-9]+/PID = PID/'

run svshm_create
run svshm_create -p
run svshm_create -p 0
run svshm_create -p -1
run svshm_create -k 5 10
run svshm_create -c -k 5 0
run svshm_create -c -f nowhere 1
run svshm_create -q
run svshm_attach word
run svshm_attach 1
run svshm_attach 123456:0x40000000q
run svshm_mon
run svshm_mon word
run svshm_mon 123456
run svshm_lock word
run svshm_lock 123456
run svshm_unlock
run svshm_unlock 123456
run svshm_rm
run svshm_rm 123456
run svshm_info

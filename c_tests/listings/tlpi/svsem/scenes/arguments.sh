# Command lines that are wrong.
. "$SESSION"
tidy='s/^[0-9]+: (.*)[0-9:]{8}/PID: \1TIME/; s/^ *[0-9]+, [0-9:]{8}/PID, TIME/; s/PID=[0-9]+/PID=PID/'

run svsem_create
run svsem_create -p
run svsem_create -p none
run svsem_create -p 0
run svsem_create -p -1
run svsem_create -p 32001
run svsem_create -k 77 1
run svsem_create -c -f nowhere 1
run svsem_demo
run svsem_demo one
run svsem_demo 99999
run svsem_demo -- -1
run svsem_demo 123456 1
run svsem_mon
run svsem_mon 123456
run svsem_setall 1
run svsem_setall 123456 1
run svsem_rm 123456
run svsem_rm word
run svsem_good_init
run svsem_op 123456
run svsem_op 123456 word
run svsem_op 123456 0
run svsem_op 123456 0=1
run svsem_op 123456 0+
run svsem_op 123456 0+1x
run svsem_op 123456 0+1,
run svsem_info
run t_binary_sems
run t_binary_sems 123456 available
run t_event_flags 123456 set
run t_event_flags 123456 set 0

# The wrong initialisation, which works while nobody comes in between; and a creator who was killed in between: those who
# find his semaphore give up.
. "$SESSION"
tidy='s/^[0-9]+: /PID: /'

run svsem_bad_init
create 0 svsem_create -k 12345 1
run svsem_bad_init
run svsem_good_init -2
run svsem_rm @0
start %creator svsem_good_init 1
lines %creator 1
start %other svsem_good_init 1
lines %other 1
run kill -KILL %creator
ended %creator
ended %other

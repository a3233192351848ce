# The right initialisation by several at once: all but one find the semaphore and wait until it has its value.
. "$SESSION"
tidy='s/ +%/ %/g; s/^[0-9]+: /PID: /'

start %creator svsem_good_init 1
lines %creator 1
for other in a b c; do start %$other svsem_good_init 1; done
for other in a b c; do lines %$other 1; done
create 0 svsem_create -k 12345 1
run svsem_mon @0
for each in creator a b c; do ended %$each; done
run %last svsem_good_init 1
run svsem_mon @0
run svsem_bad_init
run %taker svsem_good_init -6
run svsem_mon @0
run svsem_rm @0

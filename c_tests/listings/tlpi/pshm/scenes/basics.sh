# An object is made, written, read, made longer and shorter, and lives on without its name in who has it mapped.
. "$SESSION"

run pshm_create -c /demo 0
run pshm_create -cx /demo 10000 640
run pshm_create -cx /demo 10000
run pshm_create -c /demo 5000
run pshm_create /demo 3
run pshm_read /nowhere
run pshm_write /demo hello
run pshm_read /demo
run pshm_write /demo 'goodbye, and longer'
run pshm_read /demo
run pshm_write /demo ''
run pshm_read /demo
run pshm_write /demo again
run pshm_unlink /demo
run pshm_read /demo
run pshm_unlink /demo
run pshm_create -c /demo 4
./pshm_read /demo | od -An -c
run pshm_unlink demo

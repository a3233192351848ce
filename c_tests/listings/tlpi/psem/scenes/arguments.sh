# Command lines and names that are wrong.
. "$SESSION"

run psem_create
run psem_create -c
run psem_create -q /x
run psem_create /nowhere
run psem_create -c /a/b
run psem_create -c /
run psem_create -c ""
run psem_create -c "/$(printf '%0300d' 0)"
run psem_create -c /mode 9
run psem_create -c /mode 600 word
run psem_create -c /value 600 2147483647
run psem_getvalue /value
run psem_post /value
run psem_unlink /value
run psem_create -c /value 600 -1
run psem_create -c noslash 600 3
run psem_getvalue /noslash
run psem_unlink noslash
for program in wait post getvalue trywait unlink; do
    run psem_$program
    run psem_$program /nowhere
done
run psem_timedwait /nowhere
run psem_timedwait /nowhere 1

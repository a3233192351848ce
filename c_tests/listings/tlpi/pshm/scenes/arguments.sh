# Command lines and names that are wrong.
. "$SESSION"

run pshm_create
run pshm_create -c /x
run pshm_create -q /x 1
run pshm_create /nowhere 1
run pshm_create -c /x many
run pshm_create -c /x -1
run pshm_create -c /x 1 99
run pshm_create -c / 1
run pshm_create -c /a/b 1
run pshm_create -c "" 1
run pshm_create -c "/$(printf '%0300d' 0)" 1
run pshm_create -c noslash 100
run pshm_write /noslash text
run pshm_read noslash
run pshm_unlink /noslash
for program in read unlink; do
    run pshm_$program
    run pshm_$program /nowhere
    run pshm_$program /a/b
done
run pshm_write /nowhere
run pshm_write /nowhere text

# Files to standard output, through one buffer and through several.
. "$SESSION"

printf 'one line\nno newline at the end' >small
: >empty
seq 100000 >large
for program in mycat1 mycat2; do
    run $program small
    run $program empty
    run sh -c "./$program large | cmp - large"
    run $program nowhere
    run $program .
    run $program
done

# Parent and child count. Who comes first is chance: shown is how often each number came, and how often each of the two.
. "$SESSION"
export PX_IPC_NAME=/

# Until the child has ended too.
counted() {
    typed "$@"
    "./$@" | sort -n -k 2 >lines
    echo "= ${PIPESTATUS[0]}"
    sed 's/.*: //' lines | uniq -c
    sed 's/:.*//' lines | sort | uniq -c
}

counted incr1 5
counted incr2 file 5
counted incr2private file 5
counted incr3 file 5
counted incr_map_anon 5
counted incr_dev_zero 5
for program in incr1 incr2 incr2private incr3 incr_map_anon incr_dev_zero; do run $program; done
run incr2 nowhere/file 5
run incr3 . 5
# The semaphore's name is gone as soon as it is made; a name below another directory is refused.
unset PX_IPC_NAME
run incr1 5
run incr_map_anon 5

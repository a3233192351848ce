# Programs take numbers from a file under a lock: alone, and several at once, where no number may come twice.
. "$SESSION"
export PX_IPC_NAME=/
tidy='s/pid = [0-9]+/pid = PID/'

run lockpxsem
echo 1 >seqno
run lockpxsem
run locksvsem
# Three at once: 60 numbers.
for program in lockpxsem locksvsem; do
    echo 1 >seqno
    for i in 1 2 3; do start %$program$i $program; done
    for i in 1 2 3; do outcome $program$i; echo "= $?"; done
    cat "$outputs"/${program}[123] | sed 's/.*seq# = //' | sort -n | uniq -c
    cat seqno
done

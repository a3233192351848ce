# The same many times over, and many at once who find out which of them makes the lock.
. "$SESSION"
export PX_IPC_NAME=/
tidy='s/^[0-9]+ conflicts/N conflicts/'

for program in looppxsem loopsvsem; do
    run $program
    echo 1 >seqno
    for i in 1 2 3; do start %$program$i $program 200; done
    for i in 1 2 3; do ended %$program$i; done
    cat seqno
done
run locksvsemrace1
run locksvsemrace1 1
# The lock is there already, and free.
run locksvsemrace1 40
# A process that dies with the lock, or without, leaves it to the next.
echo 1 >seqno
start loopsvsem 1000000000
counts() { local number; read -r number <seqno && [ "$number" -gt 100 ]; }
wait_for counts
kill -KILL ${pids[job]}
outcome job
echo "%job = $?"
run loopsvsem 10

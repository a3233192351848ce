# Threads and processes add to one counter under a lock; a wrong sum would be told.
. "$SESSION"
export PX_IPC_NAME=/
tidy='s/[0-9]+ usec/N usec/'

for program in incr_pxmutex1 incr_pxsem1 incr_pxsem2 incr_svsem1 incr_svsem2 \
    incr_pxmutex5 incr_pxsem5 incr_pxsem6 incr_pxsem7 incr_pxsem8 incr_svsem5 incr_svsem6; do
    run $program
    run $program 1000 1
    run $program 300 5
done
# Its children wait for ever, each for its own copy of the semaphore.
run incr_pxsem9
begin incr_pxsem9 100 3
run kill -TERM -- -%job
ended
unset PX_IPC_NAME
run incr_pxsem2 10 1
run incr_pxsem8 10 1

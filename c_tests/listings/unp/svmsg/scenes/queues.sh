# Queues of files: made, filled, taken from by type, removed; and everything that is wrong.
. "$SESSION"

: >file
run msgcreate file
run msgcreate file
run msgcreate -e file
run msgsnd file 100 3
run msgsnd file 0 2
run msgsnd file 200 1
run msgrcv -t 2 file
run msgrcv -t -2 file
run msgrcv file
run msgrcv -n file
run msgrcv -nt 4 file
run msgsnd file 8192 5
run msgsnd file 8193 5
run msgsnd file -1 5
run msgsnd file 10 0
run msgsnd file 10 -5
# A receiver waits for another type.
begin msgrcv -t 7 file
run msgsnd file 10 6
run msgsnd file 20 7
ended
run msgrcv file
run msgrcv file
# By identifier, in a process that has not got the queue by its key.
known 0 msg
run msgsnd file 30 8
run msgrcvid @0
begin msgrcvid @0
run msgsnd file 31 9
ended
# A sender waits for room.
run msgsnd file 8192 1
run msgsnd file 8192 1
begin msgsnd file 1 2
run msgrcv file
ended
# A receiver waits, and the queue goes.
begin msgrcv -t 99 file
run msgrmid file
ended
run msgrcvid @0
run msgrcv file
run msgsnd file 1 1
run msgrmid file
run msgcreate nowhere
run msgcreate
run msgcreate -x file
run msgsnd file 1
run msgrcv -t
run msgrcv
run msgrcvid
run msgrcvid -- -1
run msgrmid

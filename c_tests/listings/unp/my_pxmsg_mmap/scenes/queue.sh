# A queue made, filled, emptied and removed by programs that come one after the other.
. "$SESSION"

run mqcreate
run mqcreate -m 4 /mq
run mqcreate -e -m 2 -z 16 /mq
run mqcreate -e -m 2 -z 16 /mq
run mqcreate /mq
run mqcreate -m 0 -z 16 /bad
run mqgetattr /mq
run mqsend /mq 8 1
run mqsend /mq 16 31
run mqsend /mq 17 1
run mqsend /mq 1 32768
run mqsend /nowhere 1 1
run mqgetattr /mq
# A sender waits; there is room.
begin mqsend /mq 4 7
run mqreceive -n /mq
ended
run mqreceive /mq
run mqreceive -n /mq
run mqreceive -n /mq
# A receiver waits; a message comes.
begin mqreceive /mq
run mqsend /mq 0 5
ended
run mqunlink /mq
run mqunlink /mq
run mqgetattr /mq
run mqreceive /mq
run mqunlink

# Queues made, filled, taken from by priority, removed; and everything that is wrong.
. "$SESSION"

run mqcreate1 /mq
run mqcreate1 /mq
run mqcreate1 -e /mq
run mqgetattr /mq
run mqsend /mq 100 6
run mqsend /mq 50 18
run mqsend /mq 33 18
run mqsend /mq 0 0
run mqgetattr /mq
run mqreceive /mq
run mqreceive /mq
run mqreceive -n /mq
run mqreceive /mq
run mqreceive -n /mq
run mqsend /mq 8192 32767
run mqsend /mq 8193 1
run mqsend /mq 1 32768
run mqreceive /mq
begin mqreceive /mq
run mqsend /mq 7 7
ended
run mqcreate -e -m 2 -z 16 /small
run mqcreate -m 9 -z 99 /small
run mqgetattr /small
run mqsend /small 17 1
run mqsend /small 16 1
run mqsend /small 15 2
begin mqsend /small 14 3
run mqgetattr /small
run mqreceive /small
ended
run mqreceive /small
run mqreceive /small
# The name goes, and who waits goes on waiting.
begin mqreceive /small
run mqunlink /small
run mqunlink /small
run mqgetattr /small
run kill -TERM %job
ended
run mqcreate -m 3 /other
run mqcreate -z 3 /other
run mqcreate -m -1 -z 10 /other
run mqcreate -m 10 -z -1 /other
run mqcreate -m 0 -z 0 /other
run mqgetattr /other
run mqcreate noslash
run mqcreate /
run mqcreate /a/b
run mqunlink /other
run mqunlink noslash
run mqsend /other 1 1
run mqreceive /other
for program in mqcreate1 mqcreate mqgetattr mqsend mqreceive mqunlink; do run $program; done
run mqcreate1 -x /mq
run mqcreate -m
run mqreceive -x /mq
run mqsend /mq 1
run mqsysconf
# test1 waits half a minute before and after it has made the queue: here a second.
export TEST1_SECONDS=1
begin test1 -e -m 5 -z 5 /slow
run mqgetattr /slow
ended
run mqgetattr /slow
run test1

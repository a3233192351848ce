# A realtime signal that says what it is, and brings a descriptor. Nobody takes the messages but mqreceive.
. "$SESSION"

run mqcreate -m 4 -z 64 /mq
run mqnotify3
run mqnotify3 /nowhere
begin mqnotify3 /mq
run mqsend /mq 10 1
lines 1
asleep
# The queue was not empty: no word of this one.
run mqsend /mq 20 1
run mqreceive /mq
run mqreceive /mq
run mqsend /mq 30 1
lines 2
run mqreceive /mq
# A receiver who waits gets the message, and nobody is told.
begin %receiver mqreceive /mq
run mqsend /mq 40 1
ended %receiver
run mqsend /mq 50 1
lines 3
asleep
run mqnotifysig1 /mq
run kill -TERM %job
ended
# The signal that somebody else sends is known by its code.
begin mqnotify3 /mq
run kill -RTMIN+2 %job
ended

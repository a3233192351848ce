# Told of messages by a signal, in whose handler the message is taken.
. "$SESSION"

run mqnotify1
run mqnotify1 /mq
run mqcreate -m 4 -z 64 /mq
begin mqnotify1 /mq
run mqnotify1 /mq
run mqsend /mq 50 16
lines 1
asleep
run mqsend /mq 0 1
lines 2
run kill -KILL %job
ended
run mqsend /mq 20 1
# The queue has a message when it comes, so of the next one it is not told.
begin mqnotify1 /mq
run mqsend /mq 30 1
asleep
run mqgetattr /mq
run kill -KILL %job
ended
run mqunlink /mq

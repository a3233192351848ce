# Told of messages by a signal.
. "$SESSION"

run pmsg_create -cx /mq
begin mq_notify_sig /mq
# Another one may not register.
run mq_notify_sig /mq
run pmsg_send /mq "four"
lines 1
asleep
run pmsg_send /mq "sixteen bytes ok"
lines 2
asleep
run pmsg_send /mq ""
lines 3
run kill -KILL %job
ended
# Nobody is told now, and the next one may register.
run pmsg_send /mq "untold"
run pmsg_getattr /mq
run pmsg_unlink /mq

# The older program that is told by a signal; a receiver who waits is served before anybody is told.
. "$SESSION"

run mq_notify_via_signal
run mq_notify_via_signal /mq
run pmsg_create -cx /mq
begin %told mq_notify_via_signal /mq
begin %receiver pmsg_receive /mq
run pmsg_send /mq served 1
ended %receiver
run pmsg_send /mq told
lines %told 1
asleep %told
run pmsg_send /mq "told again"
lines %told 2
run kill -TERM %told
ended %told
# Nobody is registered any more; messages that are there already are not told.
run pmsg_send /mq early
begin %late mq_notify_via_signal /mq
run pmsg_send /mq later
run pmsg_receive /mq
run pmsg_receive /mq
run pmsg_send /mq now
lines %late 1
run kill -TERM %late
ended %late
run pmsg_unlink /mq

# Queues made and opened, messages by priority, waiting senders and receivers.
. "$SESSION"

run pmsg_create -cx /mq
run pmsg_create -cx /mq
run pmsg_create /mq
run pmsg_getattr /mq
run pmsg_create -c -m 3 -s 20 /small 644
run pmsg_getattr /small
run pmsg_create -c -m 0 /bad
run pmsg_create -c -s 0 /bad
run pmsg_create -c noslash
run pmsg_create -c /
run pmsg_create -c /a/b
run pmsg_send /mq msg-a 5
run pmsg_send /mq msg-b 0
run pmsg_send /mq msg-c 10
run pmsg_send /mq bad 32768
run pmsg_send /small "more than twenty bytes long"
run pmsg_send /nowhere x
run pmsg_getattr /mq
run pmsg_receive /mq
run pmsg_receive /mq
run pmsg_receive -n /mq
run pmsg_receive -n /mq
begin pmsg_receive /mq
run pmsg_send /mq "late" 7
ended
for i in 1 2 3; do run pmsg_send -n /small "$i"; done
run pmsg_send -n /small "4"
begin pmsg_send /small "waiting" 1
run pmsg_receive /small
ended
for i in 1 2 3; do run pmsg_receive -n /small; done
run pmsg_unlink /small
run pmsg_unlink /small
run pmsg_create /small
run pmsg_unlink /mq

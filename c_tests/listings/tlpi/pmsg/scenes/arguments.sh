# Command lines and names that are wrong.
. "$SESSION"

run pmsg_create
run pmsg_create -z /mq
run pmsg_create /nowhere
run pmsg_create -c "/$(printf '%0300d' 0)"
run pmsg_create -c ""
run pmsg_create -c -m -1 /mq
run pmsg_create -c -m 65537 /mq
run pmsg_create -c -s 16777217 /mq
run pmsg_create -c /mq 9
run pmsg_send /mq
run pmsg_send /nowhere text
run pmsg_create -c /mq 600
run pmsg_send /mq text word
run pmsg_send /mq text 32767
run pmsg_send /mq text 32768
run pmsg_send /mq text -1
run pmsg_send /mq "$(printf '%08192d' 0)"
run pmsg_send /mq "$(printf '%08193d' 0)"
run pmsg_getattr /mq
run pmsg_receive
run pmsg_receive -q /mq
run pmsg_receive /nowhere
run pmsg_getattr
run pmsg_getattr /nowhere
run pmsg_unlink
run pmsg_unlink /nowhere
run pmsg_unlink mq
run mq_notify_sig
run mq_notify_sig /nowhere

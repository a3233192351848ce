# Told by a thread that is started; the queue may lose its name meanwhile.
. "$SESSION"

for program in mq_notify_thread mq_notify_via_thread; do
    run pmsg_create -cx /mq
    begin %told $program /mq
    run $program /mq
    for text in one three sixteen; do
        run pmsg_send /mq $text
        lines %told $((++sent))
    done
    run pmsg_unlink /mq
    run kill -KILL %told
    ended %told
    run $program /mq
    run $program
    sent=0
done

# Told by a signal, who has sent the message: by a handler, and by sigwaitinfo.
. "$SESSION"

for program in mq_notify_siginfo mq_notify_sigwaitinfo; do
    run pmsg_create -cx -m 5 -s 100 /mq
    begin %told $program /mq
    run %first pmsg_send /mq first
    lines %told 2
    asleep %told
    run %second pmsg_send /mq "the second" 3
    lines %told 4
    run $program /mq
    run kill -TERM %told
    ended %told
    run pmsg_unlink /mq
    run $program /mq
    run $program
done

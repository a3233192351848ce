# Told of messages by a signal, by a thread, with more or less care. Those that take one message at a time
# (mqnotifysig1 and 2) leave what came meanwhile.
. "$SESSION"

run mqcreate -m 4 -z 64 /mq
for program in mqnotifysig1 mqnotifysig2 mqnotifysig3 mqnotifysig4 mqnotifysig5 mqnotifythread1; do
    run $program
    run $program /nowhere
    begin $program /mq
    run mqnotifysig1 /mq
    run mqsend /mq 50 16
    if [ $program = mqnotifythread1 ]; then first=2 last=5; else first=1 last=3; fi
    lines $first
    threads_asleep
    # Two come while it sleeps and cannot be told.
    run kill -STOP %job
    run mqsend /mq 30 1
    run mqsend /mq 0 2
    run kill -CONT %job
    case $program in mqnotifysig[12]) lines $((last - 1)) ;; *) lines $last ;; esac
    threads_asleep
    run mqgetattr /mq
    run kill -TERM %job
    ended
    run mqreceive -n /mq
done
# A sender and the one who is told, both when nobody else receives.
begin mqnotifysig3 /mq
for size in 1 2 3; do
    run mqsend /mq $size 0
    lines $size
    asleep
done
run kill -TERM %job
ended
run mqgetattr /mq

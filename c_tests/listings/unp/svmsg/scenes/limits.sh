# How large a message, how full a queue, how many queues.
. "$SESSION"

limit msgmni 40
run limits
limit msgmax 1024
limit msgmnb 3000
run limits

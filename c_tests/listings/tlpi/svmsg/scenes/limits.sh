# Sizes of queues at and beyond msgmnb (for root), messages without text, the totals of MSG_INFO.
. "$SESSION"

create 0 svmsg_create -p
create 1 svmsg_create -p 400
run svmsg_chqbytes @0 16384
run svmsg_chqbytes @0 0
run svmsg_send -n @0 1 x
# An empty message into a queue of no bytes.
run svmsg_send -n @0 1
run svmsg_chqbytes @0 3
run svmsg_send -n @0 1 x
run svmsg_send -n @0 1 x
run svmsg_chqbytes @0 100
run svmsg_send @0 3 three
run svmsg_send @0 2 two
run svmsg_send @1 2147483647 largest
run svmsg_info
list svmsg_ls
# Types: the first, the smallest up to 2, any but 1, one that is not there.
run svmsg_receive -n -t -2 @0
run svmsg_receive -n -x -t 1 @0
run svmsg_receive -n -t -1 @0
run svmsg_receive -n -x -t 2 @0
run svmsg_receive -n -t 2147483647 @1 3
run svmsg_receive -n -e -t 2147483647 @1 3
run svmsg_receive -n @1
# Two receivers wait for different types, the third for what none of them takes.
begin %two svmsg_receive -t 2 @1
begin %three svmsg_receive -t 3 @1
begin %other svmsg_receive -x -t 2 @1
run svmsg_send @1 3 a
run svmsg_send @1 4 b
run svmsg_send @1 2 c
ended %two
ended %three
ended %other
# One that is killed while it waits takes nothing.
begin %dead svmsg_receive @1
run kill -KILL %dead
ended %dead
run svmsg_send @1 1 kept
run svmsg_receive @1
run svmsg_rm @0 @1
run svmsg_info

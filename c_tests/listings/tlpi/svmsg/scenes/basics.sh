# Queues made and found by key and file, messages taken by type and size, queues that are full, empty or gone.
. "$SESSION"
# The keys of files.
tidy='s/0x01[0-9a-f]{6}/FILE/'

list svmsg_ls
create 0 svmsg_create -c -k 0x1234
create 1 svmsg_create -c -k 0x1234
same 0 1
create 2 svmsg_create -c -x -k 0x1234
create 3 svmsg_create -k 0x99
create 4 svmsg_create -p 600
create 5 svmsg_create -p
same 4 5
create 6 svmsg_create -c -f . 0644
create 7 svmsg_create -f .
same 6 7
create 8 svmsg_create -c -f ./nowhere
run svmsg_send @0 20 "I hear and I forget."
run svmsg_send @0 10 "I see and I remember."
run svmsg_send @0 30 "I do and I understand."
run svmsg_send @0 5
run svmsg_send @0 0 "no such type"
run svmsg_send -- @0 -7 "no such type"
run svmsg_send -- -1 1 "no such queue"
list svmsg_ls
run svmsg_receive @0 4
run svmsg_receive -e @0 4
run svmsg_receive -t 5 @0
run svmsg_receive -x -t 10 @0
run svmsg_receive -n -t 77 @0
run svmsg_receive -t -15 @0
run svmsg_receive -n @0
# A receiver waits; a message comes.
begin svmsg_receive @4 100
run svmsg_send @4 3 "late"
ended
run svmsg_chqbytes @4 10
run svmsg_send -n @4 1 "123456789"
run svmsg_send -n @4 1
run svmsg_send -n @4 1 "x"
# A sender waits; there is room.
begin svmsg_send @4 2 "waiting"
run svmsg_receive @4
ended
list svmsg_ls
# A receiver waits; the queue goes.
begin svmsg_receive -t 9 @5
run svmsg_rm @5
ended
list svmsg_ls
run svmsg_rm @0 @4 @6
run svmsg_rm @0
run svmsg_chqbytes @0 10
list svmsg_ls

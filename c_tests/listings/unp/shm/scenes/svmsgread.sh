# Waits for messages by select, while a child receives them into memory that both see.
. "$SESSION"

run svmsgread
run svmsgread nowhere
touch file
run svmsgread file
run msgcreate file
begin svmsgread file
run msgsnd file 10 100
lines 1
run msgsnd file 0 200
lines 2
run msgsnd file 5000 1000000
run msgsnd file 1 1
lines 4
# The queue goes; the child says so, and its end of the pipe closes.
run msgrmid file
ended

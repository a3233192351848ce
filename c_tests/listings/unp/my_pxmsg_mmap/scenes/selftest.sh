# The self test of message queues, on a name twice and on names that are none.
. "$SESSION"

run test1
run test1 /mq
run test1 /mq
run testmq /other
run testmq
run test1 noslash
run test1 /

# Command lines that are wrong.
. "$SESSION"

run svmsg_create
run svmsg_create -p -k 1
run svmsg_create -k
run svmsg_create -k word
run svmsg_create -z
run svmsg_create -c -k 1 99
run svmsg_create -c -k 1 word
run svmsg_send
run svmsg_send 1
run svmsg_send one 1
run svmsg_send 1 one
run svmsg_send 1 1 a b
run svmsg_send 99999999999 1
run svmsg_send 123456 1 text
run svmsg_send 123456 1 "$(printf '%01024d' 0)"
run svmsg_receive
run svmsg_receive 123456
run svmsg_receive 123456 1025
run svmsg_receive 123456 -1
run svmsg_receive -t
run svmsg_rm
run svmsg_rm word
run svmsg_rm 123456
run svmsg_chqbytes 123456
run svmsg_chqbytes 123456 100
run svmsg_chqbytes 123456 many
run svmsg_ls
run svmsg_info

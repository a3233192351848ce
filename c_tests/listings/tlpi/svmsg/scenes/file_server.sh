# The file server: clients one after the other and at once, files of no bytes and of many, one that is not there.
. "$SESSION"

seq 20000 >numbers
: >empty
head -c 8192 numbers >one-message
head -c 8193 numbers >two-messages

run svmsg_file_client numbers
begin %server svmsg_file_server
run svmsg_file_server
run svmsg_file_client
run svmsg_file_client numbers
run svmsg_file_client empty
run svmsg_file_client one-message
run svmsg_file_client two-messages
run svmsg_file_client nowhere
run svmsg_file_client "$(printf '%05000d' 0 | tr 0 n)"
for client in a b c d; do start %$client svmsg_file_client numbers; done
for client in a b c d; do ended %$client; done
# Each client has removed its queue; the server's is left when it is killed.
asleep %server
run svmsg_info
run kill -TERM %server
ended %server
create 0 svmsg_create -k 0x1aaaaaa1 200
list svmsg_ls
run svmsg_file_server

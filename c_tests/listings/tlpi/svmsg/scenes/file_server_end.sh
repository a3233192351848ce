# The server's queue is removed under it: it ends with an error, as does a client that finds no server any more.
. "$SESSION"

echo text >file
begin %server svmsg_file_server
# Whoever makes a queue of that key gets the server's.
create 0 svmsg_create -k 0x1aaaaaa1 200
list svmsg_ls
run svmsg_rm @0
ended %server
run svmsg_file_client file
run svmsg_info

# A server for one client, and a client who removes the queues.
. "$SESSION"

printf 'first line\nsecond line\nno newline at the end' >file
: >empty
seq 1000 >long
run client_main <<<file
for name in file empty nowhere; do
    begin server_main
    run client_main <<<$name
    ended
done
# More than there is room for in the queue: the server waits for the client.
begin server_main
run sh -c 'echo long | ./client_main | cksum'
ended
cksum <long
# No pathname: the server gives up, and the client waits for what does not come.
begin server_main
begin %client client_main </dev/null
ended
run kill -TERM %client
ended %client

# A queue for each client, and a child of the server for each request.
. "$SESSION"

printf 'first line\nsecond line\n' >file
seq 30000 >long
seq 1000 2000 >other
run client_main <<<file
begin %server server_main
run client_main <<<file
run client_main <<<nowhere
run client_main </dev/null
for name in long other file; do start %$name sh -c './client_main | cksum' <<<$name; done
for name in long other file; do ended %$name; cksum <$name; done
# A slow client does not keep the others waiting.
mkfifo slow
start %slow sh -c './client_main | (cat slow; cksum)' <<<long
run client_main <<<file
echo "go on" >slow
ended %slow
# A server that finds the queue there goes on with what is in it.
run kill -TERM %server
ended %server
begin %client client_main <<<file
begin %server server_main
ended %client
run kill -TERM %server
ended %server

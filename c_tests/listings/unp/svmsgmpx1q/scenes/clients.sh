# One queue for a server and all its clients, told apart by message types.
. "$SESSION"

printf 'first line\nsecond line\n' >file
seq 1000 >long
seq 1000 2000 >other
run client_main <<<file
begin %server server_main
run client_main <<<file
run client_main <<<nowhere
run client_main </dev/null
# Several at once: each gets its own file. While the server is stopped their requests gather.
run kill -STOP %server
for name in long other file; do start %$name sh -c './client_main | cksum' <<<$name; done
run kill -CONT %server
for name in long other file; do ended %$name; cksum <$name; done
run kill -TERM %server
ended %server
# Nobody answers; and then somebody does.
begin %client client_main <<<file
begin %server server_main
ended %client
run kill -TERM %server
ended %server

# Bandwidth and latency: what is told, not how much.
. "$SESSION"
export PX_IPC_NAME=/
tidy='s/[0-9.]+ (usec|MB)/N \1/'

for program in bw_pipe bw_pxmsg bw_svmsg; do
    run $program
    run $program 1 1 1024
    run $program 2 1 4096
done
run bw_pxmsg 1 1 16
run bw_pxmsg 1 1 65536
run bw_pxmsg 1 1 0
run bw_svmsg 1 1 8
# Less than the greatest message; more.
run bw_svmsg 1 1 8192
run bw_svmsg 1 1 16384
for program in lat_pipe lat_pxmsg lat_svmsg; do
    run $program
    run $program 1
    run $program 200
done
unset PX_IPC_NAME
run bw_pxmsg 1 1 1024
run lat_pxmsg 1

#!/bin/bash
# make demo: two unmodified programs talk through queues that the kernel knows nothing of.
# Wants USIPC (the command), BIN (a directory for the programs) and CC.

set -eu
cd "$(dirname "$0")/.."
mkdir -p "$BIN"
PATH=$(cd "$BIN" && pwd):$(cd "$(dirname "$USIPC")" && pwd):$PATH

export USIPC_NAMESPACE=demo-$$
unset USIPC_DIR
trap 'usipc rm namespace 2>/dev/null || :' EXIT

# show COMMAND...: as if it were typed here.
show() { echo; echo "\$ $*"; "$@"; }

for program in sender receiver; do
    ${CC:-cc} -O1 -o "$BIN/$program" "demo/$program.c" -lrt
done
if ldd "$BIN/sender" "$BIN/receiver" | grep usipc; then
    echo "demo: the programs are linked with libusipc, and so prove nothing" >&2
    exit 1
fi
echo "sender and receiver are plain C programs: ldd shows no libusipc in either."

show usipc run -- sender hello
show usipc ls
show usipc run -- receiver
show usipc ls
if [ -r /proc/sysvipc/msg ] && grep -q 1684368751 /proc/sysvipc/msg; then
    echo "demo: the kernel has the queue; the preload did not take" >&2
    exit 1
fi

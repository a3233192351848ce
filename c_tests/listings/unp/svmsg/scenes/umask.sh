# The umask, 022 here, takes bits from a FIFO and none from a queue. Its one-byte message and its limits are seen by ctl.
. "$SESSION"

perms_of_queue() {
    if [ -n "${USIPC_DIR:-}" ]; then "$USIPC" ls -q --noheadings -o PERMS | sed 's/rw-/6/g;s/r--/4/g;s/-w-/2/g;s/---/0/g'
    else awk 'NR == 2 { print $3 }' /proc/sysvipc/msg; fi
}
run testumask
stat -c '%A %n' fifo.1
echo "the queue: $(perms_of_queue)"
# What ipcs shows are the kernel's queues (docs/DIFFERENCES.md): its lines are left out.
tidy='2,$d'
run ctl
limit msgmnb 4000
run ctl

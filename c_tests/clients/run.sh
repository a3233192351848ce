#!/bin/bash
# Real programs: PostgreSQL, fakeroot, Python, Perl, stress-ng, util-linux.
#
# Each runs on the kernel first, which shows that the test is right, and then on usipc where the kernel's
# own limits are 0 and glibc's /dev/shm is full: whatever works there was not theirs. PART=50-fakeroot runs
# that part alone.

. "${0%/*}/../lib.sh"

CLIENTS=$HERE
VENV=$BUILD/venv
PYTHON=$VENV/bin/python

# Where the namespace is mounted for those to whom /dev/shm is shut.
NAMESPACE=$SCRATCH/namespace
mkdir "$NAMESPACE"

# CAP_SYS_RESOURCE passes over fs.mqueue.queues_max.
WITHOUT_RESOURCE=()
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    WITHOUT_RESOURCE=(setpriv --inh-caps=-sys_resource --bounding-set=-sys_resource)
fi

# without_kernel DIR PROGRAM ARGS...: where neither the kernel nor glibc makes an object of any kind, with
# the directory DIR seen at $NAMESPACE. /dev/shm is full and not read-only, which programs look at beforehand.
without_kernel() {
    timeout -k 5 "$HANG_GUARD_S" "${KERNEL_NS[@]}" -m sh -c '
        mount --bind "$1" "$2" || exit 125
        if [ -d /dev/shm ]; then
            mount -t tmpfs -o size=4k,nr_inodes=2 none /dev/shm && echo >/dev/shm/full || exit 125
        fi
        echo 0 >/proc/sys/kernel/msgmni && echo 0 >/proc/sys/kernel/shmmni &&
            echo "32000 1024000000 500 0" >/proc/sys/kernel/sem && echo 0 >/proc/sys/fs/mqueue/queues_max || exit 125
        shift 2
        exec "$@"' sh "$1" "$NAMESPACE" ${WITHOUT_RESOURCE[@]+"${WITHOUT_RESOURCE[@]}"} "${@:2}"
}

# Replaces lib.sh's, for `oracle`.
on_usipc() { without_kernel "$1" env USIPC_DIR="$NAMESPACE" LD_PRELOAD="$LIBUSIPC" "${@:2}"; }

# Words before a program: whatever it leaves running ends with it, and with whoever waits for it.
CONTAINED=(unshare --pid --fork --kill-child sh -c '"$@"; exit $?' sh)
"${KERNEL_NS[@]}" "${CONTAINED[@]}" true 2>/dev/null || CONTAINED=(env)

# wants NAME COMMAND PACKAGE: skips the test with what to type when its program is not here.
wants() {
    command -v "$2" >/dev/null && return 0
    skip "$1" "no ${2##*/} (type: apt-get install $3)"
    return 1
}

kernel_refuses() {
    local dir
    compile refused "$HERE/refused.c" && dir=$(fresh_namespace) || return
    if without_kernel "$dir" "$BIN/refused" 2>"$SCRATCH/refused"; then
        pass kernel-refuses
    else
        fail kernel-refuses "the kernel's own objects are not shut off, so the tests below prove little"
        below "$SCRATCH/refused"
    fi
    rm -rf "$dir"
}

if ! have_kernel; then
    skip all "no fresh kernel IPC namespace here (unshare is refused)"
    exit 0
fi
if ! "${KERNEL_NS[@]}" -m mount -t tmpfs none "$NAMESPACE" 2>/dev/null; then
    skip all "cannot mount here, so /dev/shm cannot be shut"
    exit 0
fi
. "$CLIENTS/users.sh"
kernel_refuses
for part in "$CLIENTS"/parts/*.sh; do
    [ -z "${PART:-}" ] || [ "${part##*/}" = "$PART.sh" ] || continue
    . "$part"
done

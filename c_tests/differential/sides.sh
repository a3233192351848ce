# Runs the differential test on the kernel's objects, on usipc's, or on both at a time. Sourced after lib.sh by
# run.sh and minimise.sh.

KNOWN=$HERE/known-differences.txt
DIFFERENTIAL=$BIN/differential
: "${DIFFERENTIAL_GUARD_S:=300}"

# A run that is stopped half-way leaves no namespace behind either.
trap 'rm -rf "$SCRATCH" $(cat "$SCRATCH/namespaces" 2>/dev/null)' EXIT

build_differential() {
    compile differential "$HERE"/*.c || return
    # Workers of any uid exec themselves under the preload: the library has to be readable by all of them.
    if [ "$SUBJECT" = usipc ]; then
        cp "$LIBUSIPC" "$SCRATCH/libusipc.so" && chmod 755 "$SCRATCH/libusipc.so"
    fi
}

# in_fresh_ipc TRACE PROGRAM ARGS...: in a fresh IPC namespace, with usipc's ceilings for POSIX queues where
# the kernel lets them be set. The usipc side runs in one too, so that a preload that fails to take harms nobody.
in_fresh_ipc() {
    local trace=$1; shift
    timeout -k 5 "$DIFFERENTIAL_GUARD_S" unshare -i sh -c '
        for limit in msg_max=65536 msgsize_max=16777216 queues_max=1024; do
            { echo "${limit#*=}" >"/proc/sys/fs/mqueue/${limit%=*}"; } 2>/dev/null || :
        done
        exec "$@"' sh "$@" >"$trace" 2>"$trace.err" </dev/null
}

kernel_side() {
    local trace=$1; shift
    in_fresh_ipc "$trace" "$DIFFERENTIAL" --cpu 0 "$@"
}

on_usipc_in() {
    local dir=$1 trace=$2; shift 2
    in_fresh_ipc "$trace" env USIPC_DIR="$dir" LD_PRELOAD="$SCRATCH/libusipc.so" "$DIFFERENTIAL" --cpu 1 "$@"
}

# What is in a namespace directory that everything was removed from: nothing but hidden files, which keep account,
# and in poll/ what killed pollers of unlinked queues left, which the next poller sweeps away.
what_is_left() {
    [ -n "$(ls -A "$1/procs")" ] || echo "no process was here: the preload did not take"
    find "$1" -mindepth 2 ! -path "$1/procs/*" ! -path "$1/poll/*" ! -name '.*'
}

# A namespace that several users share is set up by root: the first call is its own. Says what is left in the
# namespace directory at the end in TRACE.left.
usipc_side() {
    local trace=$1 dir status; shift
    if [ "$SUBJECT" = kernel ]; then
        in_fresh_ipc "$trace" "$DIFFERENTIAL" --cpu 1 "$@"
        return
    fi
    dir=$(fresh_namespace) || return
    echo "$dir" >"$SCRATCH/namespaces"
    on_usipc_in "$dir" "$trace.set-up" --replay "$SCRATCH/root.script"
    on_usipc_in "$dir" "$trace" "$@"
    status=$?
    what_is_left "$dir" >"$trace.left"
    rm -rf "$dir"
    return $status
}

# both BASE ARGS...: BASE.kernel and BASE.usipc, at the same time.
both() {
    local base=$1 kernel; shift
    rm -f "$base".usipc.left
    kernel_side "$base.kernel" "$@" &
    kernel=$!
    usipc_side "$base.usipc" "$@"
    wait "$kernel"
}

compare_traces() { "$DIFFERENTIAL" --compare "$KNOWN" "$1.kernel" "$1.usipc"; }

# The options that keep the run to what can be compared on this machine, in AVOID.
read_avoided() {
    local kind name rest
    AVOID=(${DIFFERENTIAL_OPTIONS-})
    while IFS=$'\t' read -r kind name rest; do
        [ "$kind" = avoid ] && AVOID+=(--avoid "$name")
    done <"$KNOWN"
    grep -q 'msgrcv.*ENOSYS' "$SCRATCH/probe" && AVOID+=(--no-copy)
    grep -q 'mq_open.*EINVAL' "$SCRATCH/probe" && AVOID+=(--avoid long-mq)
    # What the kernel answers there is a matter of the machine.
    [ "$(cat /proc/sys/vm/nr_hugepages 2>/dev/null)" = 0 ] || AVOID+=(--avoid hugetlb)
    [ "$(cat /proc/sys/vm/overcommit_memory 2>/dev/null)" = 0 ] || AVOID+=(--avoid vast)
}

# Says why the kernel side cannot run here.
why_not_here() {
    if [ "$(id -u)" != 0 ]; then echo "needs root, to take several identities"; return; fi
    unshare -i true 2>/dev/null || echo "no fresh kernel IPC namespace here (unshare -i is refused)"
}

# The same, by trying it.
probe_kernel() {
    cat >"$SCRATCH/probe.script" <<'SCRIPT'
1 0 spawn 1
2 0 msgget 0 950
3 0 msgrcv 2 0 0 0 18432
4 0 mq_open 0 66 438 0 40 8 0
5 0 semget 0 1 950
6 0 shmget 0 1 950
SCRIPT
    kernel_side "$SCRATCH/probe" --replay "$SCRATCH/probe.script" || {
        echo "cannot run: $(head -n 1 "$SCRATCH/probe.err")"
        return
    }
    grep -q 'msgget.*ENOSYS' "$SCRATCH/probe" && echo "this kernel has no System V message queues"
    grep -q 'semget.*ENOSYS' "$SCRATCH/probe" && echo "this kernel has no System V semaphores"
    grep -q 'shmget.*ENOSYS' "$SCRATCH/probe" && echo "this kernel has no System V shared memory"
    grep -q 'mq_open.*ENOSYS' "$SCRATCH/probe" && echo "this kernel has no POSIX message queues"
}

# The first call of a namespace.
write_root_script() { printf '%s\n' '1 0 spawn 0' '2 0 msgget 0 950' >"$SCRATCH/root.script"; }

# Skips the test NAME where the kernel cannot be asked; ends the script then, or where nothing can be built.
prepare() {
    local why
    why=$(why_not_here)
    [ -z "$why" ] || { skip "$1" "$why"; exit 0; }
    build_differential || exit 1
    why=$(probe_kernel)
    [ -z "$why" ] || { skip "$1" "$why"; exit 0; }
    read_avoided
    write_root_script
}

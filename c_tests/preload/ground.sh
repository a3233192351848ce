# Helpers of preload/, nosyscall/ and hostile/ beside lib.sh's; sourced after it.

GROUND=$TOP/c_tests/preload

# build NAME SOURCE [FLAGS...]: lib.sh's compile with this directory's header.
build() { compile "$1" "$2" -I"$GROUND" "${@:3}"; }

# checked NAME PROGRAM ARGS...: a program that checks itself (threads and kills make its output differ
# from run to run). It must end with 0 on the kernel's queues, else the test is wrong, and on ours.
checked() {
    local name=$1 base=$SCRATCH/$1 status
    shift
    have_kernel || { skip "$name" "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    on_kernel "$@" >"$base.kernel" 2>&1 </dev/null
    status=$?
    if [ $status != 0 ]; then
        fail "$name" "the kernel run itself ended with status $status"
        below "$base.kernel"
        return
    fi
    run_subject "$base" "$@"
    status=$?
    if [ $status = 0 ]; then pass "$name"; return; fi
    fail "$name" "ends with status $status, on the kernel with 0"
    cat "$base.subject" "$base.subject.err" | below
}

# on_ours NAME FUNCTION ARGS...: a shell function that tries usipc alone, where the kernel has no
# counterpart. Its argument $1 is a fresh namespace directory; it returns 0, or prints why not.
on_ours() {
    local name=$1 function=$2 dir status
    shift 2
    if [ "$SUBJECT" = kernel ]; then skip "$name" "the kernel has no counterpart"; return; fi
    dir=$(fresh_namespace) || { fail "$name" "no namespace directory"; return; }
    "$function" "$dir" "$@" >"$SCRATCH/$name.out" 2>&1
    status=$?
    rm -rf "$dir"
    case $status in
    0) pass "$name" ;;
    77) skip "$name" "$(tail -n 1 "$SCRATCH/$name.out")" ;;
    *) fail "$name" "status $status"; below "$SCRATCH/$name.out" ;;
    esac
}

# guarded COMMAND...: with the hang guard; 124 or 137 when it hung.
guarded() { timeout -k 5 "${GUARD_S:-30}" "$@"; }

# preloaded DIR COMMAND...: under the preload in the namespace directory DIR, guarded.
preloaded() { guarded env USIPC_DIR="$1" LD_PRELOAD="$LIBUSIPC" "${@:2}"; }

# expect WHAT EXPECTED GOT: says what differs.
expect() { [ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; return 1; }; }

is_root() { [ "$(id -u)" = 0 ]; }

# May this user make a mount namespace with file systems of its own?
can_mount() {
    is_root && unshare -m sh -c 'mount -t tmpfs usipc-test /mnt' 2>/dev/null
}

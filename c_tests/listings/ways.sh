# Sourced by run.sh: plays a scene in each way and compares what it prints, and its status.

if [ "$SUBJECT" = kernel ]; then WAYS=(kernel again); else WAYS=(kernel preloaded linked); fi
if have_kernel && "${KERNEL_NS[@]}" -m mount -t tmpfs none /dev/shm 2>/dev/null; then KERNEL=yes; else KERNEL=; fi
# Processes' numbers are those of a namespace of their own: whatever a scene leaves behind ends with it, and its pids
# are never numbers that programs print for something else.
KERNEL_NS+=(-m)
PIDS=:
if "${KERNEL_NS[@]}" -p -f --kill-child --mount-proc sh -c 'echo 23000 >/proc/sys/kernel/ns_last_pid' 2>/dev/null; then
    KERNEL_NS+=(-p -f --kill-child --mount-proc)
    PIDS='echo 23000 >/proc/sys/kernel/ns_last_pid'
fi

# Of which kernel the snapshots are: another may print something else.
RELEASE=$(uname -r | cut -d . -f 1,2)

# glibc's own semaphores and shared memory are in /dev/shm, which is no part of an IPC namespace.
# RLIMIT_MSGQUEUE bounds what all of a user's processes have in queues, in whatever namespace.
PRIVATE_SHM="$PIDS"'; ulimit -q unlimited 2>/dev/null; mount -t tmpfs -o mode=1777 none /dev/shm || exit 125; exec "$@"'

# Where neither the kernel nor glibc makes an object of any kind: what works there was not theirs.
SHUT="$PIDS"'; mount --bind "$1" "$2" && mount -t tmpfs -o nr_inodes=1 none /dev/shm && ulimit -q 0 &&
    echo 0 >/proc/sys/kernel/msgmni && echo 0 >/proc/sys/kernel/shmmni &&
    echo 32000 1024000000 500 0 >/proc/sys/kernel/sem || exit 125
    shift 2; exec "$@"'
NAMESPACE=$SCRATCH/namespace
mkdir "$NAMESPACE"

# shut_out DIR PROGRAM ARGS...: there, with the directory DIR seen at $NAMESPACE.
shut_out() {
    if [ -z "$KERNEL" ]; then timeout -k 5 "$HANG_GUARD_S" env USIPC_DIR="$1" "${@:2}"; return; fi
    timeout -k 5 "$HANG_GUARD_S" "${KERNEL_NS[@]}" bash -c "$SHUT" bash "$1" "$NAMESPACE" \
        env USIPC_DIR="$NAMESPACE" "${@:2}"
}

# play WAY SCENE: the programs are in a directory of the scene's own, so that files in it are its own too.
play() {
    local way=$1 scene=$2 dir build=plain work namespace status
    dir=${scene#"$HERE"/} dir=${dir%/scenes/*}
    case $way in linked | static) build=$way ;; esac
    work=$(mktemp -d "$SCRATCH/work.XXXXXX") && ln -s "$BIN/$build/$dir"/* "$work" && cd "$work" || return
    set -- env SESSION="$HERE/session.sh" bash "$scene"
    case $way in
    kernel | again) on_kernel bash -c "$PRIVATE_SHM" bash "$@" ;;
    *)
        namespace=$(fresh_namespace) || return
        [ $way != preloaded ] || set -- env LD_PRELOAD="$LIBUSIPC" "$@"
        shut_out "$namespace" "$@"
        status=$?
        rm -rf "$namespace"
        return $status
        ;;
    esac
}

# Whole answers: what is printed, and the status as its last line.
answer() { (play "$1" "$2") </dev/null >"$3" 2>&1; echo "status $?" >>"$3"; }

check_scene() {
    local scene=$1 name base=$SCRATCH/${1//\//_} snapshot=${1%.sh}.kernel ways=("${WAYS[@]}") way note=
    name=${scene#"$HERE"/} name=${name%.sh} name=${name/\/scenes\//-} name=${name/\//-}
    is_first "$scene" && [ "$SUBJECT" = usipc ] && ways+=(static)
    for way in "${ways[@]}"; do
        [ $way = kernel ] && [ -z "$KERNEL" ] || answer $way "$scene" "$base.$way" &
    done
    wait
    if [ -z "$KERNEL" ]; then
        note=" (against the committed snapshot: no fresh kernel namespace here)"
        cp "$snapshot" "$base.kernel" || { fail "$name" "no kernel here, and no snapshot of it"; return; }
    elif [ "$(tail -n 1 "$base.kernel" | cut -d ' ' -f 2)" -ge 124 ]; then
        fail "$name" "the kernel run itself hung or failed"
        below "$base.kernel"
        return
    elif [ -n "$UPDATE" ]; then
        cp "$base.kernel" "$snapshot"
    fi
    if [ "$(cat "$HERE/snapshots-of")" = "$RELEASE" ] && ! cmp -s "$snapshot" "$base.kernel"; then
        fail "$name" "the snapshot is stale (UPDATE=1 writes it anew)"
        differing snapshot "$snapshot" kernel "$base.kernel"
        return
    fi
    for way in "${ways[@]:1}"; do
        cmp -s "$base.kernel" "$base.$way" && continue
        fail "$name" "$way it does something else than on the kernel"
        differing kernel "$base.kernel" $way "$base.$way"
        return
    done
    [[ " ${ways[*]} " != *" static "* ]] || note=" and with libusipc.a$note"
    pass "$name$note"
}

is_first() { [ "$1" = "$(printf '%s\n' "${1%/*}"/*.sh | head -n 1)" ]; }

differing() { diff -U2 --label "$1" --label "$3" "$2" "$4" | below; }

# The proof that `preloaded` and `linked` cannot be the kernel's or glibc's doing.
kernel_refuses() {
    local made
    [ "$SUBJECT" = usipc ] || return
    [ -n "$KERNEL" ] || { skip kernel-refuses "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    mkdir "$SCRATCH/nobody"
    made=$(cd "$BIN/plain/tlpi" && shut_out "$SCRATCH/nobody" bash -c '
        svmsg/svmsg_create -p && echo msg
        svsem/svsem_create -p 1 && echo sem
        svshm/svshm_create -p 1 && echo shm
        pmsg/pmsg_create -c /x && echo mq
        psem/psem_create -c /x && echo psem
        pshm/pshm_create -c /x 1 && echo pshm' 2>/dev/null)
    if [ -z "$made" ]; then pass kernel-refuses; else fail kernel-refuses "made nevertheless: "$made; fi
}

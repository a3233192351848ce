# small_fs.sh CASE: what is done inside a mount namespace of its own (unshare -m), on a tmpfs without
# room. Prints what is wrong and ends with 1. Its environment: FULL, PROBE, LIBUSIPC, SCRATCH.
set -u
unset USIPC_NAMESPACE
export USIPC_DIR=$SCRATCH/small
mkdir -p "$USIPC_DIR"

small() { mount -t tmpfs -o "mode=1777,$1" usipc-test "$USIPC_DIR" || exit 77; }
preloaded() { timeout -k 2 60 env LD_PRELOAD="$LIBUSIPC" "$@"; }
# What the steps said, joined by commas.
probe() { preloaded "$PROBE" "$@" 2>>"$SCRATCH/err" | paste -sd, -; }
expect() { [ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; exit 1; }; }

case_mq() { small size=1M && preloaded "$FULL" mq; }
case_msg() { small size=1M && preloaded "$FULL" msg; }
case_grow() { small size=1M && USIPC_MSGMNB=4M preloaded "$FULL" grow; }
case_sleep() { small size=1M && preloaded "$FULL" sleep; }
case_psem() { small size=1M && preloaded "$FULL" psem; }
case_first() { small size=1M && preloaded "$FULL" first; }
case_shm() { small size=1M && preloaded "$FULL" shm; }
case_inodes() { small size=4M,nr_inodes=60 && preloaded "$FULL" inodes; }

# So small that not even the namespace fits.
case_tiny() {
    small size=4k,nr_inodes=3
    said=$(probe get:5 mqmake:/q:600)
    [[ $said =~ ^get\ (ENOSPC|ENOMEM),mqmake\ (ENOSPC|ENOMEM)$ ]] || { echo "no room for the namespace: $said"; exit 1; }
}

case_read_only() {
    small size=1M
    expect "made" "get ok,send ok,mqmake ok,mqsend ok" "$(probe get:5 send:5:kept mqmake:/q:600 mqsend:/q:kept)"
    mount -o remount,ro "$USIPC_DIR" || exit 77
    said=$(probe get:6 mqmake:/r:600 find:5 send:5:x recv:5 mqsend:/q:x mqrecv:/q rm:5 mqrm:/q)
    [[ $said =~ ^get\ E(ROFS|ACCES),mqmake\ E(ROFS|ACCES), ]] || { echo "making on a read-only file system: $said"; exit 1; }
    [ "$(tr , '\n' <<<"$said" | wc -l)" = 9 ] || { echo "not all calls came back: $said"; exit 1; }
    ! grep -qE '(rm|send|recv) ok' <<<"$said" || { echo "changed a read-only file system: $said"; exit 1; }
    mount -o remount,rw "$USIPC_DIR" || exit 77
    expect "writable again" 'find ok,received "kept",recv ok,received "kept",mqrecv ok,rm ok,mqrm ok,get ok' \
        "$(probe find:5 recv:5 mqrecv:/q rm:5 mqrm:/q get:6)"
}

"case_$1"

# mounts.sh CASE: what is done inside a mount namespace of its own (unshare -m), with an empty, sticky
# /dev/shm. Prints what is wrong and ends with 1. Its environment: PROBE, LIBUSIPC, SCRATCH.
# No process here may inherit a choice of namespace.
set -u
unset USIPC_DIR USIPC_NAMESPACE XDG_RUNTIME_DIR TMPDIR
ALICE=20001 BOB=20002

mount -t tmpfs -o mode=1777 usipc-test /dev/shm || exit 77

# probe STEPS...: its lines joined by commas; its stderr in $SCRATCH/err.
probe() {
    timeout -k 2 20 env LD_PRELOAD="$LIBUSIPC" "$PROBE" "$@" 2>"$SCRATCH/err" | paste -sd, -
}
as_alice() { probe uid:$ALICE:$ALICE "$@"; }
as_bob() { probe uid:$BOB:$BOB "$@"; }

expect() { [ "$2" = "$3" ] || { echo "$1: expected '$2', got '$3'"; cat "$SCRATCH/err"; exit 1; }; }
# One clear line: it says who says it and what is wrong.
expect_line() {
    expect "$1: lines on stderr" 1 "$(wc -l <"$SCRATCH/err")"
    grep -qi usipc "$SCRATCH/err" || { echo "$1: the line on stderr does not name usipc"; cat "$SCRATCH/err"; exit 1; }
}
expect_empty() { expect "$1 stays empty" "" "$(ls -A "$1")"; }
# expect_refusal WHAT ERRNO-PATTERN RESULT
expect_refusal() {
    case $3 in
    "uid ok,get E"*) [[ $3 =~ ^uid\ ok,get\ ($2)$ ]] || { echo "$1: got '$3', expected $2"; exit 1; } ;;
    *) echo "$1: expected a refusal, got '$3'"; exit 1 ;;
    esac
    expect_line "$1"
}
# Where the namespace is: directories that hold keys, below $1.
namespaces() { find "$1" -type d -name keys -printf '%h\n' | sort; }

case_private() {
    local where
    expect alice "uid ok,get ok,send ok" "$(as_alice get:5 send:5:hello)"
    expect "entries of /dev/shm" 1 "$(ls -A /dev/shm | wc -l)"
    where=$(namespaces /dev/shm)
    expect "owner and mode" "$ALICE 700" "$(stat -c '%u %a' "$where")"
    expect "owner and mode of the entry" "$ALICE 700" "$(stat -c '%u %a' /dev/shm/*)"
    expect bob "uid ok,find ENOENT" "$(as_bob find:5)"
    expect root "find ENOENT" "$(probe find:5)"
    expect "alice again" "uid ok,received \"hello\",recv ok" "$(as_alice recv:5)"
}

case_system() {
    mkdir -m 1777 /dev/shm/usipc
    expect root "get ok" "$(probe get:1)"
    expect alice "uid ok,umask ok,make ok,send ok,mqmake ok,mqsend ok" \
        "$(as_alice umask:0 make:5:666 send:5:hello mqmake:/talk:666 mqsend:/talk:hi)"
    expect bob 'uid ok,received "hello",recv ok,received "hi",mqrecv ok' "$(as_bob recv:5 mqrecv:/talk)"
    expect "bob at root's" "uid ok,find ok,send EACCES" "$(as_bob find:1 send:1:x)"
    expect "entries of /dev/shm" usipc "$(ls -A /dev/shm)"
}

# Not root's, or not sticky: not "set up by root". It is not used.
case_system_of_stranger() {
    mkdir -m 1777 /dev/shm/usipc && chown $ALICE /dev/shm/usipc
    as_bob get:5 >/dev/null
    expect_empty /dev/shm/usipc
    probe get:5 >/dev/null
    expect_empty /dev/shm/usipc
    rmdir /dev/shm/usipc && mkdir -m 0777 /dev/shm/usipc && chmod 0777 /dev/shm/usipc
    as_bob get:5 >/dev/null
    expect_empty /dev/shm/usipc
    rmdir /dev/shm/usipc && mkdir -m 1777 /dev/shm/elsewhere && chown $ALICE /dev/shm/elsewhere
    ln -s elsewhere /dev/shm/usipc
    as_bob get:5 >/dev/null
    expect_empty /dev/shm/elsewhere
}

case_dir_of_stranger() {
    mkdir -m 1777 /dev/shm/mine && chown $ALICE /dev/shm/mine
    export USIPC_DIR=/dev/shm/mine
    expect_refusal "bob in alice's" EACCES "$(as_bob get:5)"
    expect_empty /dev/shm/mine
    expect_refusal "root in alice's" EACCES "uid ok,$(probe get:5)"
    expect_empty /dev/shm/mine
    expect "alice in her own" "uid ok,get ok" "$(as_alice get:5)"
}

# The call is refused every time, but the line comes once.
case_refused_once() {
    mkdir -m 1777 /dev/shm/mine && chown $ALICE /dev/shm/mine
    export USIPC_DIR=/dev/shm/mine
    expect bob "uid ok,get EACCES,get EACCES,find EACCES,mqmake EACCES,semmake EACCES,shmmake EACCES" \
        "$(as_bob get:5 get:6 find:5 mqmake:/x:600 semmake:/x:1 shmmake:/x:text)"
    expect_line "six refused calls"
}

case_dir_made() {
    expect alice "uid ok,get ok" "$(USIPC_DIR=/dev/shm/made as_alice get:5)"
    expect "owner and mode" "$ALICE 700" "$(stat -c '%u %a' /dev/shm/made)"
    expect "the namespace" /dev/shm/made "$(namespaces /dev/shm)"
    expect "umask does not narrow it" "uid ok,umask ok,get ok" "$(USIPC_DIR=/dev/shm/masked as_alice umask:777 get:5)"
    expect "found again" "uid ok,find ok" "$(USIPC_DIR=/dev/shm/masked as_alice find:5)"
}

case_relative() {
    mkdir -m 700 /dev/shm/here && cd /dev/shm/here || exit 1
    export USIPC_DIR=ns
    expect "resolved once" "get ok,cd ok,find ok,get ok,mqmake ok" "$(probe get:5 cd:/dev/shm find:5 get:6 mqmake:/x:600)"
    expect "where it is" /dev/shm/here/ns "$(namespaces /dev/shm)"
    expect "found again" "find ok,find ok" "$(probe find:5 find:6)"
    expect "resolved at the first use" "cd ok,find ENOENT" "$(probe cd:/dev/shm find:5)"
}

case_names() {
    local name
    expect one "get ok,send ok,mqmake ok" "$(USIPC_NAMESPACE=one probe get:5 send:5:x mqmake:/q:600)"
    expect two "find ENOENT,mqsend ENOENT" "$(USIPC_NAMESPACE=two probe find:5 mqsend:/q:x)"
    expect two "get ok" "$(USIPC_NAMESPACE=two probe get:5)"
    expect default "find ENOENT" "$(probe find:5)"
    expect "one again" 'received "x",recv ok' "$(USIPC_NAMESPACE=one probe recv:5)"
    expect "USIPC_DIR goes before" "find ENOENT" "$(USIPC_DIR=/dev/shm/d USIPC_NAMESPACE=one probe find:5)"
    for name in .. . ../up a/b /abs "$(printf 'new\nline')" "$(printf '%0300d' 1)"; do
        expect_refusal "the name '${name:0:20}'" "EINVAL|EACCES|ENAMETOOLONG" "uid ok,$(USIPC_NAMESPACE=$name probe get:5)"
    done
    [ ! -e /dev/shm/up ] && [ ! -e /up ] && [ ! -e /abs ] || { echo "a bad name was made"; exit 1; }
}

case_read_only() {
    mount -o remount,ro /dev/shm || exit 77
    mkdir -m 711 "$SCRATCH/x" && mkdir -m 700 "$SCRATCH/x/run" "$SCRATCH/x/tmp" &&
        chown $ALICE "$SCRATCH/x/run" && chmod 1777 "$SCRATCH/x/tmp"
    expect "XDG_RUNTIME_DIR" "uid ok,get ok" "$(XDG_RUNTIME_DIR=$SCRATCH/x/run TMPDIR=$SCRATCH/x/tmp as_alice get:5)"
    expect "where it is" 1 "$(namespaces "$SCRATCH/x/run" | wc -l)"
    expect "found again" "uid ok,find ok" "$(XDG_RUNTIME_DIR=$SCRATCH/x/run as_alice find:5)"
    expect_empty "$SCRATCH/x/tmp"
    expect "TMPDIR" "uid ok,get ok" "$(TMPDIR=$SCRATCH/x/tmp as_alice get:5)"
    expect "where it is" 1 "$(namespaces "$SCRATCH/x/tmp" | wc -l)"
    expect "owner and mode" "$ALICE 700" "$(stat -c '%u %a' "$(namespaces "$SCRATCH/x/tmp")")"
    expect "found again" "uid ok,find ok" "$(TMPDIR=$SCRATCH/x/tmp as_alice find:5)"
    expect "bob is apart" "uid ok,find ENOENT" "$(TMPDIR=$SCRATCH/x/tmp as_bob find:5)"
}

case_no_shm() {
    mkdir -m 1777 "$SCRATCH/tmp" && chmod 1777 "$SCRATCH/tmp"
    mount -t tmpfs usipc-test /dev || exit 77
    mknod -m 666 /dev/null c 1 3
    expect "TMPDIR" "uid ok,get ok,send ok,mqmake ok" "$(TMPDIR=$SCRATCH/tmp as_alice get:5 send:5:x mqmake:/q:600)"
    expect "where it is" 1 "$(namespaces "$SCRATCH/tmp" | wc -l)"
    expect "found again" 'uid ok,received "x",recv ok' "$(TMPDIR=$SCRATCH/tmp as_alice recv:5)"
    expect "semaphores and memory" "uid ok,semmake ok,shmmake ok" \
        "$(TMPDIR=$SCRATCH/tmp as_alice semmake:/s:2 shmmake:/m:text)"
    expect "from another process" 'uid ok,sempost ok,3,semvalue ok,received "text",shmread ok,semrm ok,shmrm ok' \
        "$(TMPDIR=$SCRATCH/tmp as_alice sempost:/s semvalue:/s shmread:/m semrm:/s shmrm:/m)"
    [ ! -e /dev/shm ] || { echo "/dev/shm has come up"; exit 1; }
}

# A runtime directory that is another user's would put the objects into a stranger's hands.
case_runtime_of_stranger() {
    mount -o remount,ro /dev/shm || exit 77
    mkdir -m 1777 "$SCRATCH/run" && chmod 1777 "$SCRATCH/run"
    mkdir -m 777 "$SCRATCH/run/usipc" && chmod 777 "$SCRATCH/run/usipc" && chown $ALICE "$SCRATCH/run" "$SCRATCH/run/usipc"
    XDG_RUNTIME_DIR=$SCRATCH/run as_bob get:5 >/dev/null
    expect_empty "$SCRATCH/run/usipc"
}

case_nothing_usable() {
    local out
    mount -o remount,ro /dev/shm || exit 77
    out=$(XDG_RUNTIME_DIR=/nowhere TMPDIR=/dev/shm as_alice get:5)
    expect_refusal "nowhere to go" "E[A-Z]+" "$out"
}

# Somebody was quicker with the name of bob's private directory.
case_squatted() {
    local entry path kind
    as_bob get:5 >/dev/null
    entry=$(ls -A /dev/shm) path=$(namespaces /dev/shm)
    mkdir -m 700 /dev/shm/bobs && chown $BOB /dev/shm/bobs
    for kind in directory link-to-bobs link-to-alices dangling file; do
        rm -rf "/dev/shm/$entry"
        mkdir -m 777 /dev/shm/alices && chmod 777 /dev/shm/alices
        case $kind in
        directory) mkdir "/dev/shm/$entry" && chmod 1777 "/dev/shm/$entry" ;;
        link-to-bobs) ln -s bobs "/dev/shm/$entry" ;;
        link-to-alices) ln -s alices "/dev/shm/$entry" ;;
        dangling) ln -s new "/dev/shm/$entry" ;;
        file) : >"/dev/shm/$entry" ;;
        esac
        chown -h $ALICE "/dev/shm/$entry" /dev/shm/alices
        expect_refusal "$kind" "EACCES|ENOTDIR|ELOOP" "$(as_bob get:5)"
        expect_empty /dev/shm/bobs
        expect_empty /dev/shm/alices
        [ ! -e /dev/shm/new ] || { echo "$kind: made through the link"; exit 1; }
        rmdir /dev/shm/alices
    done
    # The same one level further down, if there is one.
    if [ "$path" != "/dev/shm/$entry" ]; then
        rm -rf "/dev/shm/$entry"
        mkdir -m 777 "/dev/shm/$entry" && chmod 777 "/dev/shm/$entry" && chown $BOB "/dev/shm/$entry"
        mkdir -m 777 /dev/shm/alices && ln -s /dev/shm/alices "$path"
        chown -h $ALICE "$path" /dev/shm/alices
        expect_refusal "the link inside" "EACCES|ENOTDIR|ELOOP" "$(as_bob get:5)"
        expect_empty /dev/shm/alices
    fi
}

# Rooms in a shared directory that somebody else made, or led elsewhere, before bob came.
case_squatted_room() {
    local room
    for room in msg keys mq procs; do
        rm -rf /dev/shm/ns /dev/shm/alices
        mkdir -m 1777 /dev/shm/ns && chmod 1777 /dev/shm/ns
        mkdir -m 777 /dev/shm/alices && chmod 777 /dev/shm/alices && chown $ALICE /dev/shm/alices
        mkdir /dev/shm/ns/$room && chmod 1777 /dev/shm/ns/$room && chown $ALICE /dev/shm/ns/$room
        expect_refusal "alice's room $room" EACCES "$(USIPC_DIR=/dev/shm/ns as_bob get:5)"
        expect_empty /dev/shm/ns/$room
        rmdir /dev/shm/ns/$room && ln -s ../alices /dev/shm/ns/$room && chown -h $ALICE /dev/shm/ns/$room
        expect_refusal "the link $room" "EACCES|ENOTDIR|ELOOP" "$(USIPC_DIR=/dev/shm/ns as_bob get:5)"
        expect_empty /dev/shm/alices
    done
}

# Plain users in a directory that root has set up.
case_shared() {
    mkdir -m 1777 /dev/shm/ns && chmod 1777 /dev/shm/ns
    export USIPC_DIR=/dev/shm/ns
    probe get:1 >/dev/null
    expect alice "uid ok,umask ok,make ok,send ok" "$(as_alice umask:0 make:5:666 send:5:hello)"
    expect bob 'uid ok,received "hello",recv ok,send ok' "$(as_bob recv:5 send:5:back)"
    expect "alice again" 'uid ok,received "back",recv ok,rm ok' "$(as_alice recv:5 rm:5)"
    expect "alice's other" "uid ok,make ok" "$(as_alice make:6:666)"
    expect "bob may not remove" "uid ok,rm EPERM,find ok" "$(as_bob rm:6 find:6)"
}

"case_$1"

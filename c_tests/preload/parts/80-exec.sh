# The calls that run another program, and what outlives them.

# By the archive, in a program that cannot look for libc's functions.
static_execs() {
    local mode dir=$SCRATCH/static wanted
    for mode in arguments errors path; do
        mkdir "$dir" "$dir.kernel" || return
        EXECS_DIR=$dir.kernel guarded "$BIN/execs" $mode >"$SCRATCH/static.wanted"
        USIPC_DIR=$1 EXECS_DIR=$dir guarded "$BIN/execs_static" $mode >"$SCRATCH/static.out" || return
        diff -U2 "$SCRATCH/static.wanted" "$SCRATCH/static.out" || return
        rm -r "$dir" "$dir.kernel"
    done
}

execs() {
    local mode static="${LIBUSIPC%.so}.a"
    build execs "$GROUND/execs.c" || return
    for mode in arguments errors path script; do
        # The kernel's run and ours get an empty directory each.
        oracle "exec-$mode" bash -c 'EXECS_DIR=$(mktemp -d "$2/exec.XXXXXX") && export EXECS_DIR && exec "$0" "$1"' \
            "$BIN/execs" $mode "$SCRATCH"
    done
    if [ "$SUBJECT" = kernel ] || [ ! -e "$static" ]; then
        skip exec-static "no static library at $static"
    else
        build execs_static "$GROUND/execs.c" -static "$static" && on_ours exec-static static_execs
    fi
}
execs

heirs() {
    local elsewhere status
    elsewhere=$(fresh_namespace) || return
    HEIR=$BIN/heir HEIR_PRELOAD=$LIBUSIPC HEIR_ELSEWHERE=$elsewhere preloaded "$1" "$BIN/heir" "$2"
    status=$?
    rm -rf "$elsewhere"
    return $status
}

build heir "$GROUND/heir.c" && {
    for mode in functions ends unaware parent elsewhere outlived; do
        on_ours "exec-lifeline-$mode" heirs "$mode"
    done
}

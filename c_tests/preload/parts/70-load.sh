# Kills, load, and programs that reached the library in different ways.

build crash "$GROUND/crash.c" && {
    for kind in msg mq; do
        checked "crash-$kind" "$BIN/crash" "$kind"
        checked "crash-$kind-orphans" "$BIN/crash" "$kind" orphans
    done
}
build crash_create "$GROUND/crash_create.c" && checked crash-create "$BIN/crash_create"
build half_made "$GROUND/half_made.c" && on_ours half-made preloaded "$BIN/half_made"

build stress "$GROUND/stress.c" && {
    for kind in exact any negative mq; do
        for workers in processes threads; do
            checked "stress-$kind-$workers" "$BIN/stress" "$kind" "$workers"
        done
    done
}

SAID='client: msgrcv type 2 "the answer"
server: msgrcv type 1 "the question"
server: mq_receive priority 7 "good bye"'

# talk_between DIR SERVER CLIENT: each is a command that runs a build of talk in the environment given.
talk_between() {
    local server status
    GUARD_S=40 guarded env USIPC_DIR="$1" $2 serve >"$SCRATCH/talk.server" &
    server=$!
    guarded env USIPC_DIR="$1" $3 ask >"$SCRATCH/talk.client"
    status=$?
    wait $server || { echo "the server ended with $?"; return 1; }
    expect "the client's status" 0 $status || return
    expect "what was said" "$SAID" "$(cat "$SCRATCH/talk.client" "$SCRATCH/talk.server")"
}

talks() {
    local libraries=$BIN/lib soname linked preloaded static="${LIBUSIPC%.so}.a"
    build talk "$GROUND/talk.c" || return
    preloaded="LD_PRELOAD=$LIBUSIPC $BIN/talk"
    if [ "$SUBJECT" != kernel ]; then
        # -lusipc finds the library by its link name, the loader by its soname.
        mkdir -p "$libraries"
        soname=$(readelf -d "$LIBUSIPC" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
        ln -sf "$LIBUSIPC" "$libraries/libusipc.so"
        [ -z "$soname" ] || ln -sf "$LIBUSIPC" "$libraries/$soname"
        build talk_linked "$GROUND/talk.c" -L"$libraries" -lusipc -Wl,-rpath,"$libraries" || return
        [ ! -e "$static" ] || build talk_static "$GROUND/talk.c" "$static" || return
    fi
    linked=$BIN/talk_linked
    on_ours talk-preloaded-linked talk_between "$preloaded" "$linked"
    on_ours talk-linked-preloaded talk_between "$linked" "$preloaded"
    on_ours talk-linked-linked talk_between "$linked" "$linked"
    on_ours talk-linked-and-preloaded talk_between "LD_PRELOAD=$LIBUSIPC $linked" "$linked"
    if [ -e "$static" ]; then
        on_ours talk-static-preloaded talk_between "$BIN/talk_static" "$preloaded"
    else
        skip talk-static-preloaded "no static library at $static"
    fi
}
talks

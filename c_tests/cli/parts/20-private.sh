# usipc run --private: a namespace of its own, gone afterwards.

private() { "$USIPC" run --private "$@"; }
gone() { [ ! -e "$1" ]; }
show_dir='echo "$USIPC_DIR"'

compile wait "$HERE/wait.c" || return 0
compile subreaper "$HERE/subreaper.c" || return 0
compile queue "$HERE/queue.c" || return 0

removed_after() {
    local dir there
    read -r dir there <<<"$(private -- sh -c 'echo "$USIPC_DIR $([ -d "$USIPC_DIR/msg" ] && echo there)"')"
    same private/there-meanwhile there "$there"
    soon gone "$dir" && pass private/removed || fail private/removed "$dir is still there"
    [ "$dir" != "$(private -- sh -c "$show_dir")" ] && pass private/fresh || fail private/fresh "$dir twice"
}

removed_after_kill() {
    local dir
    mkfifo "$SCRATCH/dir" 2>/dev/null
    private -- sh -c "$show_dir; kill -9 \$\$" >"$SCRATCH/dir" 2>/dev/null &
    read -r dir <"$SCRATCH/dir"
    wait $!
    same private/killed-status 137 $?
    soon gone "$dir" && pass private/removed-after-SIGKILL || fail private/removed-after-SIGKILL "$dir is still there"
}

removed_when_not_run() {
    local before after
    before=$(ls "$(memory_dir)")
    expect private/no-such-program 127 '' 'usipc: no-such-program: .*' "$USIPC" run --private -- no-such-program
    nothing_new() { after=$(ls "$(memory_dir)"); [ "$before" = "$after" ]; }
    soon nothing_new && pass private/removed-when-not-run || fail private/removed-when-not-run "$after"
}

# A program that waits for all its children must not meet the watcher, nor must a subreaper adopt it.
no_child() {
    same private/no-child 'ECHILD, subreaper 0' "$(private -- "$BIN/wait")"
    same private/no-child-of-a-subreaper 'ECHILD, subreaper 1' "$("$BIN/subreaper" "$USIPC" run --private -- "$BIN/wait")"
}

# The watcher has the descriptors of nobody: command substitution ends with the program, though a daemon
# (which closes its own) keeps the namespace in use; and the namespace goes when the daemon goes.
daemon_keeps_it() {
    local dir daemon
    dir=$(private -- sh -c "'$BIN/queue' 1 /q stay >/dev/null 2>&1 & echo \$! >'$SCRATCH/daemon'; $show_dir
        for i in \$(seq 500); do [ -e \"\$USIPC_DIR/mq/q\" ] && break; sleep 0.02; done")
    daemon=$(cat "$SCRATCH/daemon")
    sleep 0.5
    [ -e "$dir/mq/q" ] && pass private/kept-for-a-daemon || fail private/kept-for-a-daemon "$dir went while it was used"
    kill "$daemon"
    soon gone "$dir" && pass private/removed-after-the-daemon || fail private/removed-after-the-daemon "$dir is still there"
}

watcher_is_apart() {
    local report
    report=$(private -- sh -c '
        for stat in /proc/[0-9]*/cmdline; do
            { tr "\0" " " <"$stat"; } 2>/dev/null | grep -q "^usipc watch-private -- $$ " && watcher=${stat%/cmdline}
        done
        echo "$(ls "$watcher/fd" | tr "\n" " ")$(readlink "$watcher/cwd") $(readlink "$watcher/fd/1")"
        session() { cut -d" " -f 6 "/proc/$1/stat"; }
        [ "$(session "${watcher#/proc/}")" != "$(session $$)" ] && echo apart')
    same private/watcher "0 1 2 3 / /dev/null
apart" "$report"
}

removed_after
removed_after_kill
removed_when_not_run
no_child
daemon_keeps_it
watcher_is_apart

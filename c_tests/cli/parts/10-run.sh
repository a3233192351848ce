# usipc run: becomes the program, in the namespace asked for.

NAMESPACE=$(fresh_namespace)
LIBRARY=$(cd "${LIBUSIPC%/*}" && pwd -P)/${LIBUSIPC##*/}
RUN=("$USIPC" run --dir "$NAMESPACE")
run() { "${RUN[@]}" "$@"; }

# The shell execs a last command, and so has the pid that the program must keep.
pid_kept() {
    (exec "${RUN[@]}" -- sh -c 'echo $$') >"$SCRATCH/pid" &
    wait $!
    same run/pid "$!" "$(cat "$SCRATCH/pid")"
}

status_kept() {
    local wanted status
    for wanted in 0 1 2 77 126 255; do
        run -- sh -c "exit $wanted"
        status=$?
        [ $status = $wanted ] || { fail run/status "$status instead of $wanted"; return; }
    done
    run -- sh -c 'kill -TERM $$' 2>/dev/null
    same run/status-of-a-signal 143 $?
    pass run/status
}

arguments_kept() {
    same run/arguments '<a b><><--json><*><-->' "$(run -- printf '<%s>' 'a b' '' --json '*' --)"
    same run/arguments-without-dashes '<-x>' "$(run printf '<%s>' -x)"
    same run/stdin hello "$(echo hello | run -- cat)"
}

# A trap '' PIPE before must still be one in the program, and no trap must be none.
signals_kept() {
    local show='grep -E "^Sig(Blk|Ign)" /proc/self/status'
    same run/signals "$(sh -c "$show")" "$(run -- sh -c "$show")"
    same run/ignored-signals "$(trap '' PIPE USR1; sh -c "$show")" "$(trap '' PIPE USR1; run -- sh -c "$show")"
}

environment_set() {
    local show='echo "$LD_PRELOAD $USIPC_DIR"' other=$BIN/other.so
    same run/environment "$LIBRARY $NAMESPACE" "$(run -- sh -c "$show")"
    $CC -shared -fPIC -o "$other" -x c - </dev/null
    same run/appends "$other:$LIBRARY $NAMESPACE" "$(LD_PRELOAD=$other run -- sh -c "$show")"
    same run/nested "$LIBRARY $NAMESPACE" "$(run -- "$USIPC" run -- sh -c "$show")"
    show='echo "$USIPC_DIR"'
    same run/relative-dir "$NAMESPACE" \
        "$(cd "${NAMESPACE%/*}" && "$USIPC" run --dir "${NAMESPACE##*/}" -- sh -c "$show")"
    same run/from-the-environment "$NAMESPACE" "$(USIPC_DIR=$NAMESPACE "$USIPC" run -- sh -c "$show")"
}

named() {
    local dir
    dir=$("$USIPC" run --namespace "cli-$$" -- sh -c 'echo "$USIPC_DIR"')
    if [ -d "$dir/procs" ] && [ "${dir##*/}" = "cli-$$" ]; then
        pass run/namespace
    else
        fail run/namespace "it is '$dir'"
    fi
    same run/namespace-by-environment "$dir" \
        "$(USIPC_NAMESPACE=cli-$$ "$USIPC" run -- sh -c 'echo "$USIPC_DIR"')"
    "$USIPC" rm --namespace "cli-$$" namespace
    [ ! -e "$dir" ] && pass run/namespace-removed || fail run/namespace-removed "$dir is still there"
    # The user's own directory of namespaces, unless there are others in it.
    rmdir "${dir%/*}" 2>/dev/null || true
}

failures() {
    expect run/no-such-program 127 '' 'usipc: no-such-program: no such program' "${RUN[@]}" -- no-such-program
    expect run/not-executable 126 '' 'usipc: cannot run /etc/passwd: .*' "${RUN[@]}" -- /etc/passwd
    USIPC_LIB=/none expect run/no-library 2 '' 'usipc: USIPC_LIB: there is no file /none' "${RUN[@]}" -- true
    local blank="$SCRATCH/a b"
    mkdir -p "$blank" && cp "$LIBUSIPC" "$blank/libusipc.so"
    USIPC_LIB="$blank/libusipc.so" expect run/blank-in-path 2 '' 'usipc: USIPC_LIB: .*blank or a colon.*' \
        "${RUN[@]}" -- true
    expect run/dir-is-a-file 2 '' 'usipc: .*passwd is not a directory.*' "$USIPC" run --dir /etc/passwd -- true
}

# What LD_PRELOAD does not reach is told, and runs all the same.
unreachable() {
    local static=$BIN/static
    if ! echo 'int main(void) { return 5; }' | $CC -static -o "$static" -x c - 2>/dev/null; then
        skip run/static "no static libc (type: apt-get install libc6-dev)"
        return
    fi
    expect run/static 5 '' 'usipc: warning: .*/static is statically linked.*' "${RUN[@]}" -- "$static"
}

# A stranger's directory is refused: he could delete everybody's files.
refused_directory() {
    if [ "$(id -u)" != 0 ]; then skip run/strangers-directory "needs root"; return; fi
    local dir=$SCRATCH/stranger
    mkdir -p "$dir" && chown 65534 "$dir"
    expect run/strangers-directory 2 '' "usipc: .*$dir belongs to user 65534.*" "$USIPC" run --dir "$dir" -- true
}

pid_kept
status_kept
arguments_kept
signals_kept
environment_set
named
failures
unreachable
refused_directory
rm -rf "$NAMESPACE"

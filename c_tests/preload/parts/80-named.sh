# POSIX semaphores and shared memory objects.

named() { GUARD_S=60 preloaded "$1" "$BIN/named" "$2"; }

build named "$GROUND/named.c" && {
    for mode in places number forks handler cancel; do
        on_ours "named-$mode" named "$mode"
    done
}

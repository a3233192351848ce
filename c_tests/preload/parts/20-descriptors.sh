# Descriptors, root and working directories taken away.

build closed "$GROUND/closed.c" && {
    for mode in loop closefrom close_range system-call cold standard reused dup exec nofile-warm nofile-cold nofile-none daemon; do
        oracle "closed-$mode" "$BIN/closed" "$mode"
    done
}

roots() {
    local mode
    build chroots "$GROUND/chroots.c" || return
    for mode in warm cold fork closed-known closed-new closed-before; do
        if ! is_root; then skip "chroot-$mode" "needs root"; continue; fi
        # The kernel's run and ours get an empty directory each.
        oracle "chroot-$mode" bash -c 'dir=$(mktemp -d "$2/root.XXXXXX") && "$0" "$1" "$dir"
            status=$?; find "$dir" -mindepth 1; exit $status' "$BIN/chroots" "$mode" "$SCRATCH"
    done
    oracle chdir bash -c 'dir=$(mktemp -d "$1/root.XXXXXX") && "$0" chdir "$dir"' "$BIN/chroots" "$SCRATCH"
}
roots

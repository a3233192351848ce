# A program that changes its user.

users() {
    local mode
    build uids "$GROUND/uids.c" || return
    for mode in identities calls drop owner keeps turns creator give; do
        if is_root; then oracle "uids-$mode" "$BIN/uids" "$mode"; else skip "uids-$mode" "needs root"; fi
    done
}
users

# ipcmk and ipcrm call libc; ipcs and lsipc read /proc/sysvipc, which is the kernel's, when it is there.

util_linux() {
    local kind dir
    wants util-linux ipcmk util-linux || return
    made_and_removed Q q msg ''
    made_and_removed S s sem 3
    made_and_removed M m shm 10000
    made_is_listed Q q ''
    made_is_listed S s 3
    made_is_listed M m 10000
}

# made_and_removed MAKE REMOVE ALL SIZE: ipcmk's and ipcrm's letters, ipcrm's word.
made_and_removed() {
    oracle "ipcmk-ipcrm-$3" sh -c 'make="-$1 $4"
        id=$(ipcmk $make | tr -dc 0-9); ipcmk $make >/dev/null && ipcrm -$2 "$id" && echo removed
        ipcrm -$2 "$id"; echo again $?; ipcrm --all=$3; ipcrm -$2 1; echo $?' sh "$@"
}

# made_is_listed MAKE LIST SIZE: by usipc ls and, where there is no /proc/sysvipc, by lsipc.
made_is_listed() {
    local dir id
    dir=$(fresh_namespace) || return
    id=$(on_usipc "$dir" ipcmk "-$1" $3 | tr -dc 0-9)
    if [ -n "$id" ] && USIPC_DIR=$dir "$USIPC" ls "-$2" --noheadings -o ID | grep -qx "$id"; then
        pass "ipcmk-in-ls-$2"
    else
        fail "ipcmk-in-ls-$2" "usipc ls -$2 does not show '$id'"
    fi
    lsipc_without_proc "$dir" "$id" "$2"
    rm -rf "$dir"
}

lsipc_without_proc() {
    local hide='mount -t tmpfs none /proc/sysvipc && exec "$@"'
    if ! unshare -m sh -c "$hide" sh true 2>/dev/null; then
        skip "lsipc-$3-without-proc" "cannot mount over /proc/sysvipc here"
    elif on_usipc "$1" unshare -m sh -c "$hide" sh lsipc "-$3" --noheadings -o ID 2>&1 | grep -qx " *$2"; then
        pass "lsipc-$3-without-proc"
    else
        fail "lsipc-$3-without-proc" "lsipc -$3 does not show '$2'"
    fi
}

util_linux

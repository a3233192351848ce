# For the parts: what an unprivileged user runs as `usipc run -- ...`, in a namespace of his own. PostgreSQL
# refuses root, and fakeroot is for those who are not root.

# The user's own directory. The library is copied: the user may have no way to where it was built.
HOME_OF_USER=$SCRATCH/user

if [ "$(id -u)" = 0 ]; then
    AS_USER=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups)
    AS_OWNER=(chown -R "nobody:$(id -g nobody)")
else
    # Inside KERNEL_NS, where the user is root.
    AS_USER=(unshare "--map-user=$(id -u)" "--map-group=$(id -g)")
    AS_OWNER=(true)
fi

# A server must not outlive the tests, whatever happens to them.
can_contain() {
    [ "${CONTAINED[0]}" = unshare ] && "${KERNEL_NS[@]}" "${CONTAINED[@]}" "${AS_USER[@]}" true 2>/dev/null
}

# user_home SCRIPT: an empty directory to work in, and what he runs.
user_home() {
    rm -rf "$HOME_OF_USER"
    mkdir "$HOME_OF_USER" "$HOME_OF_USER/bin" "$HOME_OF_USER/work" &&
        cp "$LIBUSIPC" "$HOME_OF_USER/bin/libusipc.so" && cp "$USIPC" "$HOME_OF_USER/bin/usipc" &&
        cp "$CLIENTS/user_tests.sh" "$CLIENTS/$1" "$HOME_OF_USER" && "${AS_OWNER[@]}" "$HOME_OF_USER"
}

# user_runs WHERE SCRIPT ARGS...: with the kernel's IPC or with usipc's.
user_runs() {
    local where=$1 script=$2 dir status
    user_home "$script" || return
    set -- env -C "$HOME_OF_USER/work" HOME="$HOME_OF_USER" TMPDIR="$HOME_OF_USER" PATH="/usr/sbin:/sbin:$PATH" \
        bash "$HOME_OF_USER/$script" "${@:3}"
    if [ "$where" = kernel ]; then
        on_kernel "${CONTAINED[@]}" "${AS_USER[@]}" "$@" </dev/null
        return
    fi
    dir=$(mktemp -d "$(memory_dir)/usipc-test.XXXXXX") && "${AS_OWNER[@]}" "$dir" || return
    without_kernel "$dir" "${CONTAINED[@]}" "${AS_USER[@]}" \
        "$HOME_OF_USER/bin/usipc" run --dir "$NAMESPACE" -- "$@" </dev/null
    status=$?
    rm -rf "$dir"
    return $status
}

# user_tests NAME SCRIPT ARGS...: the script prints `ok NAME` or `FAIL NAME: reason` for each of its tests.
user_tests() {
    local name=$1 log=$SCRATCH/$1.user status
    shift
    can_contain || { skip "$name" "no process namespace or no second user here"; return; }
    user_runs "$SUBJECT" "$@" 2>&1 | sed -E "s,^(ok|FAIL) ,&$GROUP/," | tee "$log"
    status=${PIPESTATUS[0]}
    if ! grep -q '^FAIL ' "$log"; then
        if [ "$status" != 0 ]; then fail "$name" "its script ended with status $status"
        elif ! grep -q '^ok ' "$log"; then fail "$name" "its script ran no test"; fi
    fi
}

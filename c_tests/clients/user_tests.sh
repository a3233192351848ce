# For the scripts that users.sh lets a user run: a line per test, and a failure ends the script.

# step NAME COMMAND...: a test; what it printed is shown when it failed.
step() {
    local name=$1
    shift
    if "$@" >"$name.log" 2>&1; then
        echo "ok $name"
    else
        echo "FAIL $name: $* ended with status $?"
        tail -n 30 "$name.log" | sed 's/^/    /'
        explain | sed 's/^/    /'
        exit 1
    fi
}

# What else to show after a failure.
explain() { :; }

# until_true COMMAND...: within a minute.
until_true() {
    local turn
    for ((turn = 0; turn < 600; turn++)); do
        "$@" && return 0
        sleep 0.1
    done
    echo "not within a minute: $*"
    return 1
}

# The IPC objects of the namespace, a line each.
objects() {
    if [ -n "${USIPC_DIR:-}" ]; then
        (cd "$USIPC_DIR" && find msg sem shm keys mq psem pshm ! -type d ! -name '.*')
    else
        tail -qn +2 /proc/sysvipc/{msg,sem,shm}
    fi
}

nothing_left() {
    objects >left
    [ -z "${USIPC_DIR:-}" ] || "$HOME/bin/usipc" ls --noheadings >>left || return
    cat left
    [ ! -s left ]
}

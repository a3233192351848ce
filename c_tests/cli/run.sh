#!/bin/bash
# The command usipc, an installed tree, and the commands in README.md.
. "${0%/*}/../lib.sh"

if [ ! -x "$USIPC" ]; then
    fail command "there is no command at $USIPC (run make first)"
    exit 1
fi
unset USIPC_DIR USIPC_NAMESPACE USIPC_LIB LD_PRELOAD
export USIPC_LIB=$LIBUSIPC

# expect NAME STATUS STDOUT STDERR COMMAND...: STDOUT and STDERR are extended regular expressions for the
# whole text; an empty one wants nothing at all.
expect() {
    local name=$1 status=$2 out=$3 err=$4 got
    shift 4
    timeout -k 5 "$HANG_GUARD_S" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
    got=$?
    if [ $got != "$status" ]; then
        fail "$name" "exit status $got instead of $status"
    elif ! matches "$out" "$SCRATCH/out"; then
        fail "$name" "stdout does not match '$out'"
    elif ! matches "$err" "$SCRATCH/err"; then
        fail "$name" "stderr does not match '$err'"
    else
        pass "$name"
        return
    fi
    below "$SCRATCH/out"
    below "$SCRATCH/err"
    return 1
}

matches() {
    local text
    text=$(cat "$2")
    if [ -z "$1" ]; then [ -z "$text" ]; else [[ $text =~ ^($1)$ ]]; fi
}

# same NAME WANTED GOT: two texts.
same() {
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got '$3' instead of '$2'"; fi
}

# soon COMMAND...: within ten seconds the command succeeds.
soon() {
    local i
    for i in $(seq 200); do
        "$@" 2>/dev/null && return 0
        sleep 0.05
    done
    return 1
}

ls_() { "$USIPC" ls "$@"; }
rm_() { "$USIPC" rm "$@"; }
me=$(id -un)

# release PID: kills a child of this shell.
release() {
    kill -9 "$1"
    wait "$1" 2>/dev/null
}

for part in "$HERE"/parts/*.sh; do
    [ -z "${PART:-}" ] || [ "${part##*/}" = "$PART.sh" ] || continue
    . "$part"
done

# One client, on one side, in its own directory: play.sh CLIENT[:PART] settings|wanted|prepare|play SIDE. `play` prints
# one number, how much it did in a second. Runs as an unprivileged user, since PostgreSQL refuses root.

set -u
export LC_ALL=C
here=$(cd "${0%/*}" && pwd)
SIDE=$3 PART=${1#*:}

# Runs a program with this side's IPC.
with_ipc() {
    if [ "$SIDE" = usipc ]; then env LD_PRELOAD="$LIBUSIPC" "$@"; else "$@"; fi
}

need_command() { command -v "$1" >/dev/null || missing "no ${1##*/} (type: apt-get install $2)"; }
need_python() { "$PYTHON" -c "import $1" 2>/dev/null || missing "no $1 for Python (make check as root installs it)"; }
missing() { echo "$1"; return 1; }

until_true() {
    local turn
    for ((turn = 0; turn < 300; turn++)); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

# used ROOM: is it what is to be measured that the client uses?
used() {
    if [ "$SIDE" = usipc ]; then
        [ -n "$(ls "$USIPC_DIR/$1" 2>/dev/null)" ]
    else
        [ "$(wc -l <"/proc/sysvipc/$1")" -gt 1 ]
    fi || { echo "no object in $1" >&2; return 1; }
}

# per_second COUNT START_NS
per_second() { awk -v n="$1" -v start="$2" -v end="$(date +%s%N)" 'BEGIN { print n * 1e9 / (end - start) }'; }

settings() { echo "$UNIT|$BAR"; }

. "$here/${1%%:*}.sh"
$2

# usipc ls and usipc rm of POSIX semaphores and shared memory objects.

compile named "$HERE/named.c" || return 0
NAMESPACE=$(fresh_namespace)
export USIPC_DIR=$NAMESPACE
named() { LD_PRELOAD=$LIBUSIPC "$BIN/named" "$@"; }

named_columns() {
    named /cli-first 7 12345
    named /cli-another 0 0
    same named/rows "psem /cli-another rw-r----- $me 0 psem /cli-first rw-r----- $me 7 pshm /cli-another rw------- $me 0B pshm /cli-first rw------- $me 12.1K" \
        "$(ls_ --noheadings | xargs)"
    same named/semaphores "NAME PERMS OWNER MTIME SVAL" "$(ls_ -S | head -n 1 | xargs)"
    same named/memory "NAME PERMS OWNER SIZE MTIME" "$(ls_ --posix-shmems | head -n 1 | xargs)"
    same named/only-semaphores "psem psem" "$(ls_ --posix-semaphores --noheadings -o TYPE | xargs)"
    same named/only-memory "pshm pshm" "$(ls_ -M --noheadings -o TYPE | xargs)"
    same named/bytes "0 12345" "$(ls_ -M -b --noheadings -o SIZE | xargs)"
    same named/time "$(date +%Y)" "$(ls_ -S --noheadings -o MTIME | head -c 4)"
    expect named/one-kind 2 '' 'usipc: .*cannot be used with.*' "$USIPC" ls -S -M
}

named_waiters() {
    local waiter
    LD_PRELOAD=$LIBUSIPC "$BIN/named" /cli-another 0 0 wait &
    waiter=$!
    soon waits && pass named/waiters || fail named/waiters "$(ls_ -S -o NAME,WAITERS)"
    expect named/in-use 1 '' "usipc: $NAMESPACE is in use by pid $waiter; .*" "$USIPC" rm namespace
    kill "$waiter"
    wait "$waiter" 2>/dev/null
}
waits() { [ "$(ls_ -S --noheadings -o NAME,WAITERS | xargs)" = "/cli-another 1 /cli-first 0" ]; }

named_json() {
    if ! perl -MJSON::PP -e 1 2>/dev/null; then skip named/json "no perl (type: apt-get install perl)"; return; fi
    same named/json "7 12345" "$(ls_ -J | perl -MJSON::PP -0777 -ne '
        my %o = map { $_->{type} . $_->{name} => $_ } @{(decode_json $_)->{objects}};
        print "$o{q(psem/cli-first)}{sval} $o{q(pshm/cli-first)}{size}\n"')"
}

named_removal() {
    expect named/rm-psem 0 '' '' "$USIPC" rm psem /cli-first
    same named/rm-psem-only "pshm" "$(ls_ --noheadings -o TYPE,NAME | grep cli-first | cut -d' ' -f 1)"
    expect named/rm-psem-again 1 '' "usipc: no POSIX semaphore called /cli-first in $NAMESPACE .*" "$USIPC" rm psem /cli-first
    expect named/rm-pshm 1 '' "usipc: no POSIX shared memory object called /none in $NAMESPACE .*" \
        "$USIPC" rm pshm /none cli-first
    same named/rm-pshm-gone '' "$(ls_ --noheadings -o TYPE,NAME | grep cli-first)"
    expect named/rm-all 0 '' '' "$USIPC" rm all
    same named/rm-all-gone '' "$(ls_ --noheadings)"
}

# What is none, and what is another user's.
named_strange() {
    : >"$NAMESPACE/psem/empty"
    mkfifo "$NAMESPACE/pshm/fifo"
    named /cli-good 1 1
    expect named/spoilt 1 '.*/cli-good .*/cli-good .*' 'usipc: psem /empty: .*usipc: pshm /fifo: .*' "$USIPC" ls
    expect named/rm-spoilt 0 '' '' "$USIPC" rm all
    if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then skip named/other-user "needs root and setpriv"; return; fi
    local nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
    named /cli-mine 1 4096
    same named/other-user "psem /cli-mine permission denied pshm /cli-mine 4096 ok" \
        "$($nobody "$SCRATCH/usipc" ls -b --noheadings -o TYPE,NAME,SVAL,SIZE,STATUS | xargs)"
    expect named/rm-other-user 1 '' "usipc: the POSIX semaphore called /cli-mine in .* is not yours.*" \
        $nobody "$SCRATCH/usipc" rm psem /cli-mine
    "$USIPC" rm all
}

named_columns
named_waiters
named_json
named_removal
named_strange
unset USIPC_DIR
rm -rf "$NAMESPACE"

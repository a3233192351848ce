# stress-ng's stressors of IPC, each with --verify.

# The operations that stress-ng's metrics count for a stressor, in the file $1.
operations() { awk -v stressor="$2" '$4 == stressor { print $5; exit }' "$1"; }

# stress_on WHERE STRESSOR OPERATIONS ARGS...: at least so many, and verified.
stress_on() {
    local where=$1 stressor=$2 wanted=$3 log=$SCRATCH/stress.$1.$2 status dir=
    shift 3
    set -- env -C "$SCRATCH" stress-ng --verify --metrics-brief "--$stressor" 2 "$@"
    if [ "$where" = usipc ]; then
        dir=$(fresh_namespace) || return
        on_usipc "$dir" "$@" >"$log" 2>&1
    else
        on_kernel "$@" >"$log" 2>&1
    fi
    status=$?
    [ -z "$dir" ] || rm -rf "$dir"
    if [ $status != 0 ] || grep -qE 'fail|aborted|skipping' "$log"; then
        fail "stress-ng-$stressor" "status $status on $where"
        below "$log"
    elif ! [ "$(operations "$log" "$stressor")" -ge "$wanted" ] 2>/dev/null; then
        fail "stress-ng-$stressor" "$(operations "$log" "$stressor") operations of $wanted on $where"
        below "$log"
    else
        return 0
    fi
    return 1
}

# stress STRESSOR OPERATIONS ARGS...: ends after so many.
stress() { stress_both "$1" "$2" --timeout 120 "--$1-ops" "$2" "${@:3}"; }

stress_both() {
    wants "stress-ng-$1" stress-ng stress-ng || return
    stress_on kernel "$@" && stress_on "$SUBJECT" "$@" && pass "stress-ng-$1"
}

stress msg 200000
stress mq 200000
# Sleepers with SEM_UNDO who are killed at the end, and every command of semctl.
stress sem-sysv 500000
# Attaches, chosen addresses, SHM_LOCK, and children who end with segments attached.
stress shm-sysv 4000 --shm-sysv-bytes 1M --shm-sysv-segs 4
stress shm 1000 --shm-bytes 1M --shm-objs 8
# sem_init alone, which stays glibc's. Here --sem-ops does not end it: its parent waits for the time.
stress_both sem 1000 --timeout 2

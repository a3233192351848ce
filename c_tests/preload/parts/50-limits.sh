# The limits: the kernel's run has them in /proc/sys, ours in the environment.

# limited NAME "SYSCTL..." "ENVIRONMENT..." ARGS...
limited() {
    local ORACLE_SYSCTL="$ORACLE_SYSCTL $2" ORACLE_ENV="$3"
    oracle "limits-$1" "$BIN/limits" "${@:4}"
}

# refused DIR VARIABLE VALUE: one line on stderr that names the variable, and the default holds.
refused() {
    local out status
    out=$(preloaded "$1" env "$2=$3" "$BIN/limits" info 2>"$SCRATCH/refused.err")
    status=$?
    expect "$2='$3'" "0 $DEFAULT_INFO" "$status $out" || return
    grep -q "$2" "$SCRATCH/refused.err" || { echo "$2='$3': stderr does not name it:"; cat "$SCRATCH/refused.err"; return 1; }
    expect "$2='$3': lines on stderr" 1 "$(wc -l <"$SCRATCH/refused.err")"
}

DEFAULT_INFO="msgmax 8192 msgmnb 16384 msgmni 32000
a new queue's msg_qbytes 16384"

# Above INT_MAX nothing fits into struct msginfo; a sign, a space, a fraction or a unit's second letter
# is not a plain number.
refused_values() {
    local value
    for value in abc -1 12Q 1.5M 64KB 0x10 " 64K" "64 K" 8M8 99999999999999999999 99999999999G K +5; do
        refused "$1" USIPC_MSGMAX "$value" || return
    done
    for value in x 4G 2147483648 -16384; do refused "$1" USIPC_MSGMNB "$value" || return; done
    # The identifiers have 15 bits for the index.
    for value in many 1G 32769; do refused "$1" USIPC_MSGMNI "$value" || return; done
}

# A POSIX limit is told of where it is asked for: by mq_open.
refused_mq() {
    local variable value out
    for variable in USIPC_MQ_MSG_MAX USIPC_MQ_MSGSIZE_MAX; do
        for value in abc -1 12Q 99999999999999999999; do
            out=$(preloaded "$1" env "$variable=$value" "$BIN/limits" mq 10 8192 65536 16 65537 16 2>"$SCRATCH/refused.err")
            expect "$variable='$value'" "10 x 8192: ok
65536 x 16: ok
65537 x 16: EINVAL" "$out" || return
            grep -q "$variable" "$SCRATCH/refused.err" || { echo "$variable='$value': stderr does not name it"; return 1; }
        done
    done
}

# Nothing is said about good values and none about absent ones.
accepted_values() {
    local setting
    for setting in USIPC_MSGMAX=1 USIPC_MSGMAX=64K USIPC_MSGMNB=8M USIPC_MSGMNB=1G USIPC_MSGMNI=32768 \
        USIPC_MQ_MSG_MAX=64K USIPC_MQ_MSGSIZE_MAX=16M USIPC_MSGMAX=; do
        preloaded "$1" env "$setting" "$BIN/limits" info >"$SCRATCH/accepted.out" 2>"$SCRATCH/accepted.err" ||
            { echo "$setting: status $?"; return 1; }
        expect "stderr of $setting" "" "$(cat "$SCRATCH/accepted.err")" || return
    done
}

limits() {
    build limits "$GROUND/limits.c" || return
    limited defaults "" "" info
    limited default-message "" "" message
    limited msgmax kernel/msgmax=1000 USIPC_MSGMAX=1000 info
    limited msgmax-message "kernel/msgmax=65536 kernel/msgmnb=262144" "USIPC_MSGMAX=64K USIPC_MSGMNB=256K" message
    limited msgmnb kernel/msgmnb=8388608 USIPC_MSGMNB=8M info
    limited msgmnb-small "kernel/msgmnb=3500 kernel/msgmax=2000" "USIPC_MSGMNB=3500 USIPC_MSGMAX=2000" message
    limited msgmnb-1G kernel/msgmnb=1073741824 USIPC_MSGMNB=1G info
    limited msgmni kernel/msgmni=7 USIPC_MSGMNI=7 info
    limited msgmni-queues kernel/msgmni=7 USIPC_MSGMNI=7 queues
    limited mq-msg-max fs/mqueue/msg_max=50 USIPC_MQ_MSG_MAX=50 mq 10 16 50 16 51 16 65536 16 0 16 -1 16
    limited mq-msgsize-max fs/mqueue/msgsize_max=65536 USIPC_MQ_MSGSIZE_MAX=64K mq 2 65536 2 65537 2 1
    limited mq-msgsize-max-number fs/mqueue/msgsize_max=5000 USIPC_MQ_MSGSIZE_MAX=5000 \
        mq 2 5000 2 5001 2 4999 2 0 2 -1
    # RLIMIT_MSGQUEUE keeps the kernel below its hard ceilings, so these are not compared.
    on_ours limits-refused refused_values
    on_ours limits-refused-mq refused_mq
    on_ours limits-accepted accepted_values
}
limits

build grown "$GROUND/grown.c" && {
    limits=("$ORACLE_SYSCTL" "$ORACLE_ENV")
    ORACLE_SYSCTL="$ORACLE_SYSCTL kernel/msgmax=8388608 kernel/msgmnb=16777216" ORACLE_ENV="USIPC_MSGMAX=8M USIPC_MSGMNB=16M"
    oracle grown-while-asleep "$BIN/grown"
    ORACLE_SYSCTL=${limits[0]} ORACLE_ENV=${limits[1]}
}

# Identifiers, keys, and those who race for them.

build ids "$GROUND/ids.c" && {
    for mode in cycles cycles-private cycles-processes by-id foreign keys known-key; do
        oracle "ids-$mode" "$BIN/ids" "$mode"
    done
    # 32000 queues of up to 32 KiB.
    if [ "$(df -Pk "$(memory_dir)" | awk 'NR == 2 {print $4}')" -gt 1200000 ]; then
        oracle ids-msgmni "$BIN/ids" msgmni
    else
        skip ids-msgmni "needs 1.2 GB of $(memory_dir)"
    fi
}

build races "$GROUND/races.c" && {
    for mode in exclusive shared mq-exclusive storm-msg storm-mq; do
        checked "race-$mode" "$BIN/races" "$mode"
    done
}

# usipc ls and usipc rm of System V shared memory.

compile segment "$HERE/segment.c" || return 0
NAMESPACE=$(fresh_namespace)
export USIPC_DIR=$NAMESPACE

# hold ARGS...: a process that has a segment attached twice; its pid in HOLDER, the identifier in ID.
hold() {
    LD_PRELOAD=$LIBUSIPC "$BIN/segment" "$@" >"$SCRATCH/held" &
    HOLDER=$!
    soon test -s "$SCRATCH/held"
    ID=$(cat "$SCRATCH/held")
    : >"$SCRATCH/held"
}

segment_columns() {
    local first
    hold 0x11 12345
    first=$HOLDER
    hold 0x12 4096 lock dest
    same segments/heading "KEY ID PERMS OWNER SIZE NATTCH STATUS CTIME CPID LPID ATTACHERS" "$(ls_ -m | head -n 1 | xargs)"
    same segments/rows "0x00000011 rw-r----- $me 12345 2 ok $first $first $first 0x00000000 rw-r----- $me 4096 2 dest,locked $HOLDER $HOLDER $HOLDER" \
        "$(ls_ --shmems -b --noheadings -o KEY,PERMS,OWNER,SIZE,NATTCH,STATUS,CPID,LPID,ATTACHERS | xargs)"
    same segments/among-all "shm 2 shm 2" "$(ls_ --noheadings -o TYPE,NATTCH | xargs)"
    same segments/time "$(date +%Y)" "$(ls_ -m --noheadings -o ATTACH | head -c 4)"
    expect segments/in-use 1 '' "usipc: $NAMESPACE is in use by pid .*" "$USIPC" rm namespace
    expect segments/rm-attached 0 '' '' "$USIPC" rm shm --key 0x11
    same segments/dest "dest dest,locked" "$(ls_ -m --noheadings -o STATUS | xargs)"
    release "$first"
    same segments/last-killed "dest,locked" "$(ls_ -m --noheadings -o STATUS | xargs)"
    release "$HOLDER"
    same segments/all-killed '' "$(ls_ --noheadings)"
}

segment_removal() {
    hold 17 4096
    release "$HOLDER"
    same segments/left "0x00000011 0" "$(ls_ -m --noheadings -o KEY,NATTCH | xargs)"
    expect segments/rm 0 '' '' "$USIPC" rm shm "$ID"
    expect segments/rm-again 1 '' "usipc: no shared memory segment with id $ID in $NAMESPACE .*" "$USIPC" rm shm "$ID"
    expect segments/rm-no-key 1 '' "usipc: no shared memory segment with key 0x00000011 in .*" "$USIPC" rm shm --key 17
    hold 18 4096
    release "$HOLDER"
    printf 'spoilt' | dd of="$NAMESPACE/shm/$((ID & 32767))" conv=notrunc 2>/dev/null
    expect segments/spoilt 1 '.*' "usipc: shm [0-9]+: not a usipc object.*" "$USIPC" ls
    expect segments/rm-spoilt 0 '' '' "$USIPC" rm all
    same segments/nothing-left '' "$(ls "$NAMESPACE/shm" "$NAMESPACE/keys" | grep -v :)"
}

segment_columns
segment_removal
rm -rf "$NAMESPACE"
unset USIPC_DIR

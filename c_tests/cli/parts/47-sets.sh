# usipc ls and usipc rm of System V semaphore sets.

compile set "$HERE/set.c" || return 0
NAMESPACE=$(fresh_namespace)
export USIPC_DIR=$NAMESPACE
set_() { LD_PRELOAD=$LIBUSIPC "$BIN/set" "$@"; }
numbers() { ls_ -s --noheadings -o "$@" | xargs; }
shows() { [ "$(numbers "$2")" = "$1" ]; }

# in_background FILE ARGS...: its pid in PROCESS.
in_background() {
    LD_PRELOAD=$LIBUSIPC "$BIN/set" "${@:2}" >"$1" &
    PROCESS=$!
}

set_columns() {
    local id long
    same sets/heading "KEY ID PERMS OWNER NSEMS VALUES WAITERS UNDO" "$(ls_ -s | head -n 1 | xargs)"
    if command -v lsipc >/dev/null && have_kernel; then
        # lsipc shows no heading without a set.
        same sets/lsipc-columns "$(on_kernel sh -c 'ipcmk -S 1 >/dev/null; lsipc -s -t' | head -n 1 | xargs)" \
            "$(ls_ -s -o KEY,ID,PERMS,OWNER,NSEMS,OTIME,CTIME | head -n 1 | xargs)"
    else
        skip sets/lsipc-columns "no lsipc, or no fresh kernel IPC namespace here"
    fi
    id=$(set_ 0x21 3 0 32767)
    same sets/row "0x00000021 $id rw-r----- $me 3 3,0,32767 0" "$(ls_ --semaphores --noheadings | xargs)"
    same sets/among-all "sem $id 3" "$(ls_ --noheadings -o TYPE,ID,NSEMS | xargs)"
    same sets/never-used "$(date +%Y)" "$(numbers OTIME,CTIME | head -c 4)"
    same sets/id-alone "$id" "$(ls_ -s --noheadings -o ID)"
    expect sets/one-kind 2 '' 'usipc: .*cannot be used with.*' "$USIPC" ls -s -m
    set_ 0x22 $(seq 20) >/dev/null
    long=$(seq -s, 16),...
    same sets/many "3,0,32767 $long" "$(numbers VALUES)"
    if perl -MJSON::PP -e 1 2>/dev/null; then
        same sets/json "3 3,0,32767 20 $(seq -s, 20)" "$(ls_ -s -J | perl -MJSON::PP -0777 -ne '
            print join(" ", map { $_->{nsems}, join(",", @{$_->{values}}) } @{(decode_json $_)->{objects}}), "\n"')"
    else
        skip sets/json "no perl (type: apt-get install perl)"
    fi
    rm_ all
    same sets/rm-all '' "$(ls_ --noheadings)"
}

# A holder and two sleepers; the sleepers end when the set goes.
set_users() {
    local holder more zero before
    mkfifo "$SCRATCH/holder"
    in_background "$SCRATCH/holder" 0x31 3 1 9 hold
    holder=$PROCESS
    read -r ID <"$SCRATCH/holder"
    in_background "$SCRATCH/more" 0x31 take
    more=$PROCESS
    in_background "$SCRATCH/zero" 0x31 zero
    zero=$PROCESS
    soon shows "2,1,8 2 1 1 $holder" VALUES,WAITERS,NCNT,ZCNT,UNDO
    same sets/sleepers-and-holder "2,1,8 2 1 1 $holder" "$(numbers VALUES,WAITERS,NCNT,ZCNT,UNDO)"
    kill -STOP "$more" "$zero"
    before=$(md5sum <"$NAMESPACE/sem/$((ID & 32767))")
    ls_ >/dev/null
    same sets/looking-changes-nothing "$before" "$(md5sum <"$NAMESPACE/sem/$((ID & 32767))")"
    kill -CONT "$more" "$zero"
    release "$zero"
    same sets/killed-sleeper "1 1 0" "$(numbers WAITERS,NCNT,ZCNT)"
    release "$holder"
    soon shows "3,1,9 1" VALUES,WAITERS,UNDO
    same sets/killed-holder "3,1,9 1" "$(numbers VALUES,WAITERS,UNDO)"
    expect sets/in-use 1 '' "usipc: $NAMESPACE is in use by pid $more; .*" "$USIPC" rm namespace
    expect sets/rm 0 '' '' "$USIPC" rm sem "$ID"
    wait "$more"
    same sets/sleeper-is-told EIDRM "$(cat "$SCRATCH/more")"
    expect sets/rm-again 1 '' "usipc: no semaphore set with id $ID in $NAMESPACE .*" "$USIPC" rm sem "$ID"
}

# Nobody sleeps, and so nobody has applied the dead holder's adjustments when ls comes.
set_left() {
    rm -f "$SCRATCH/holder" && mkfifo "$SCRATCH/holder"
    in_background "$SCRATCH/holder" 0x41 3 1 32767 hold
    read -r ID <"$SCRATCH/holder"
    same sets/held "2,1,32766 $PROCESS" "$(numbers VALUES,UNDO)"
    release "$PROCESS"
    same sets/given-back "3,1,32767" "$(numbers VALUES,UNDO)"
    set_ 0x42 1 >/dev/null
    expect sets/rm-keys 1 '' 'usipc: no semaphore set with key 0x00000043 .*' "$USIPC" rm sem --key 0x41 --key 0x43 --key 66
    same sets/keys-gone '' "$(ls_ --noheadings)"
}

# An identifier of the past is nobody's, though its index be another set's now.
set_past() {
    local past
    past=$(set_ 0x61 1)
    "$USIPC" rm sem "$past"
    ID=$(set_ 0x61 2)
    same sets/index-again "$((past & 32767))" "$((ID & 32767))"
    expect sets/rm-past 1 '' "usipc: no semaphore set with id $past in .*" "$USIPC" rm sem "$past"
    same sets/past-is-past "$ID 2" "$(numbers ID,VALUES)"
    "$USIPC" rm sem "$ID"
}

# What is scribbled over is told or shown as it is; neither costs more than an error.
set_spoilt() {
    local file good
    good=$(set_ 0x51 7)
    ID=$(set_ 0x52 1 2 3)
    file=$NAMESPACE/sem/$((ID & 32767))
    # nsems stands behind the header; behind the tables everything is cells.
    printf '\xff\xff\0\0' | dd of="$file" bs=1 seek=192 conv=notrunc status=none
    expect sets/sizes-scribbled 1 ".*0x00000051 +$good .*" "usipc: sem [0-9]+: its sizes are scribbled over.*" "$USIPC" ls -s
    expect sets/rm-sizes-scribbled 0 '' '' "$USIPC" rm sem "$((ID & 32767))"
    ID=$(set_ 0x53 1 2 3)
    file=$NAMESPACE/sem/$((ID & 32767))
    printf '\x03\0\0\0%0.s' $(seq 300000) | dd of="$file" bs=4096 seek=2 conv=notrunc status=none
    printf '\xff\xff\xff\x7f%0.s' $(seq 40) | dd of="$file" bs=1 seek=208 conv=notrunc status=none
    expect sets/cells-scribbled 0 '.*0x00000051.*0x00000053.*' '' "$USIPC" ls -s
    # The identifier stands behind magic, version, word size, kind and removed.
    printf '\x09' | dd of="$file" bs=1 seek=24 conv=notrunc status=none
    expect sets/identifier-scribbled 1 '.*0x00000051.*' 'usipc: sem [0-9]+: not a usipc object.*' "$USIPC" ls -s
    printf 'scribble' | dd of="$file" conv=notrunc status=none
    expect sets/header-scribbled 1 '.*0x00000051.*' 'usipc: sem [0-9]+: not a usipc object.*' "$USIPC" ls
    : >"$NAMESPACE/sem/77"
    expect sets/rm-spoilt 0 '' '' "$USIPC" rm all
    same sets/nothing-left '' "$(ls "$NAMESPACE/sem" "$NAMESPACE/keys" | grep -v :)"
}

set_columns
set_users
set_left
set_past
set_spoilt
rm -rf "$NAMESPACE"
unset USIPC_DIR

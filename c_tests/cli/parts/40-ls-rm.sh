# usipc ls and usipc rm.

compile queue "$HERE/queue.c" || return 0
NAMESPACE=$(fresh_namespace)
export USIPC_DIR=$NAMESPACE
queue() { LD_PRELOAD=$LIBUSIPC "$BIN/queue" "$@"; }

nothing_yet() {
    local nowhere=$SCRATCH/nowhere
    expect ls/nothing 0 'TYPE KEY ID NAME PERMS OWNER USEDBYTES MSGS LSPID LRPID SIZE NATTCH NSEMS SVAL' '' "$USIPC" ls --dir "$nowhere"
    expect ls/nothing-json 0 ".*\"namespace\": \"$nowhere\",.*\"objects\": \[\].*" '' "$USIPC" ls -J --dir "$nowhere"
    [ ! -e "$nowhere" ] && pass ls/makes-nothing || fail ls/makes-nothing "$nowhere is there now"
}

columns() {
    (export LD_PRELOAD=$LIBUSIPC && exec "$BIN/queue" 0x1234 /cli-first one three >"$SCRATCH/id") &
    wait $!
    local pid=$! id
    id=$(cat "$SCRATCH/id")
    same ls/headings "TYPE KEY ID NAME PERMS OWNER USEDBYTES MSGS LSPID LRPID SIZE NATTCH NSEMS SVAL" "$(ls_ | head -n 1 | xargs)"
    same ls/rows "msg 0x00001234 $id rw-r----- $me 8B 2 $pid 0 mq /cli-first rw------- $me 8B 2" \
        "$(ls_ --noheadings | xargs)"
    if command -v lsipc >/dev/null && have_kernel; then
        # lsipc shows no heading without a queue.
        same ls/lsipc-columns "$(on_kernel sh -c 'ipcmk -Q >/dev/null; lsipc -q' | head -n 1 | xargs)" \
            "$(ls_ -q | head -n 1 | xargs)"
    else
        skip ls/lsipc-columns "no lsipc, or no fresh kernel IPC namespace here"
    fi
    same ls/queues "0x00001234 $id rw-r----- $me 8B 2 $pid 0" "$(ls_ -q --noheadings | xargs)"
    same ls/posix-queues "NAME PERMS OWNER MTIME USEDBYTES MSGS" "$(ls_ -Q | head -n 1 | xargs)"
    same ls/time "$(date +%Y)" "$(ls_ -Q --noheadings -o MTIME | head -c 4)"
    same ls/output "NAME QBYTES MAXMSG MSGSIZE" "$(ls_ -o name,QBytes,MAXMSG,msgsize | head -n 1 | xargs)"
    same ls/bytes "16384" "$(ls_ -q -b --noheadings -o QBYTES)"
    same ls/creator "$(id -u) $(id -g) $(id -u) $(id -g)" "$(ls_ -q -c --noheadings | xargs | cut -d' ' -f 9-12)"
    same ls/attributes "8 64" "$(ls_ -Q -b --noheadings -o MAXMSG,MSGSIZE | xargs)"
    # In the order of identifiers and names.
    queue 0x99 /cli-another >/dev/null
    same ls/order "/cli-another /cli-first" "$(ls_ -Q --noheadings -o NAME | xargs)"
}

json() {
    if ! perl -MJSON::PP -e 1 2>/dev/null; then skip ls/json "no perl (type: apt-get install perl)"; return; fi
    same ls/json "$NAMESPACE msg 0x00001234 8 2 rw-r----- 16384 ok" "$(ls_ -J | perl -MJSON::PP -0777 -ne '
        my $all = decode_json $_;
        my ($o) = grep { ($_->{key} // "") eq "0x00001234" } @{$all->{objects}};
        print join(" ", $all->{namespace}, @$o{qw(type key usedbytes msgs perms qbytes status)}), "\n"')"
    same ls/json-columns '{"id":null,"name":"/cli-first"}' "$(ls_ -Q -J -o ID,NAME | perl -MJSON::PP -0777 -ne '
        my $all = decode_json $_;
        my ($o) = grep { $_->{name} eq "/cli-first" } @{$all->{objects}};
        print JSON::PP->new->canonical->encode($o), "\n"')"
}

# A name with an escape sequence must not reach the terminal.
odd_names() {
    queue 0x77 "$(printf '/cli\033[2Jx')" >/dev/null
    same ls/control-characters '/cli\x1b[2Jx' "$(ls_ -Q --noheadings -o NAME | grep 2J)"
    rm_ mq "$(printf '/cli\033[2Jx')" && rm_ msg --key 0x77
    same rm/odd-name '' "$(ls_ -Q --noheadings -o NAME | grep 2J)"
}

removal() {
    local id
    id=$(queue 0x55 /cli-gone a b)
    expect rm/msg 0 '' '' "$USIPC" rm msg "$id"
    expect rm/msg-again 1 '' "usipc: no message queue with id $id in $NAMESPACE .*" "$USIPC" rm msg "$id"
    expect rm/mq 0 '' '' "$USIPC" rm mq /cli-gone
    expect rm/mq-again 1 '' "usipc: no POSIX message queue called /cli-gone in $NAMESPACE .*" "$USIPC" rm mq /cli-gone
    expect rm/mq-without-slash 2 '' 'usipc: the name of a POSIX queue begins with a slash: usipc rm mq /cli-gone' \
        "$USIPC" rm mq cli-gone
    queue 0x55 /cli-gone >/dev/null
    queue 0x56 /cli-gone2 >/dev/null
    expect rm/several 1 '' 'usipc: no message queue with key 0x00000057 .*' "$USIPC" rm msg --key 0x55 --key 0x57 --key 86
    same rm/keys-gone '' "$(ls_ -q --noheadings -o KEY | grep -E '0x0000005[567]')"
    expect rm/several-names 0 '' '' "$USIPC" rm mq /cli-gone /cli-gone2
    queue 0x58 /cli-all a >/dev/null
    expect rm/all 0 '' '' "$USIPC" rm all
    same rm/all-gone '' "$(ls_ --noheadings)"
    [ -d "$NAMESPACE/procs" ] && pass rm/all-keeps-the-namespace || fail rm/all-keeps-the-namespace "no $NAMESPACE/procs"
    expect rm/nowhere 1 '' "usipc: there is no namespace at $SCRATCH/nowhere" "$USIPC" rm --dir "$SCRATCH/nowhere" all
}

whole_namespace() {
    local dir user
    dir=$(mktemp -d "$(memory_dir)/usipc-test.XXXXXX")
    echo x >"$dir/letter"
    expect rm/no-namespace 1 '' "usipc: $dir is left alone: it is no usipc namespace.*" "$USIPC" rm --dir "$dir" namespace
    mkfifo "$SCRATCH/fifo"
    USIPC_DIR=$dir LD_PRELOAD=$LIBUSIPC "$BIN/queue" 1 /q a stay >"$SCRATCH/fifo" &
    user=$!
    read -r _ <"$SCRATCH/fifo"
    expect rm/strangers-file 1 '' "usipc: $dir is left alone: 'letter' in it .*" "$USIPC" rm --dir "$dir" namespace
    rm "$dir/letter"
    expect rm/in-use 1 '' "usipc: $dir is in use by pid $user; .*" "$USIPC" rm --dir "$dir" namespace
    [ -e "$dir/mq/q" ] && pass rm/in-use-keeps || fail rm/in-use-keeps "the queue is gone"
    expect rm/force 0 '' '' "$USIPC" rm --dir "$dir" namespace --force
    [ ! -e "$dir" ] && pass rm/namespace || fail rm/namespace "$dir is still there"
    kill "$user"
    wait "$user" 2>/dev/null
}

# Objects of another user: shown as far as the directory tells, and not removed.
other_user() {
    if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
        skip ls/other-user "needs root and setpriv"
        return
    fi
    local id nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
    cp "$USIPC" "$SCRATCH/usipc" && chmod 755 "$SCRATCH/usipc"
    id=$(queue 0x66 /cli-mine a)
    # The System V queue is 0640: others have no permission at all.
    same ls/other-user "msg permission denied" \
        "$($nobody "$SCRATCH/usipc" ls -q --noheadings -o TYPE,USEDBYTES,STATUS | xargs)"
    expect rm/other-user 1 '' "usipc: the message queue with id $id in .* is not yours.*" \
        $nobody "$SCRATCH/usipc" rm msg "$id"
    rm_ all
}

# A header of another version, or a scribbled one, is named; the rest is listed.
unknown_layouts() {
    local good spoilt index file
    good=$(queue 0x70 /cli-good a)
    spoilt=$(queue 0x71 /cli-spoilt a)
    # Of a spoilt object only its index is known.
    index=$((spoilt & 32767))
    file=$NAMESPACE/msg/$index
    # struct Header: magic (8 bytes), layout version (4).
    printf '\x07\0\0\0' | dd of="$file" bs=1 seek=8 conv=notrunc status=none
    expect ls/unknown-version 1 ".*0x00000070 +$good .*" "usipc: msg [0-9]+: unknown layout version 7.*" "$USIPC" ls -q
    expect ls/unknown-version-json 1 '.*"status": "unknown layout version 7.*' 'usipc: .*' "$USIPC" ls -q -J
    printf 'scribble' | dd of="$NAMESPACE/mq/cli-spoilt" bs=1 conv=notrunc status=none
    expect ls/scribbled 1 '.*/cli-good.*' 'usipc: mq /cli-spoilt: .*scribbled.*' "$USIPC" ls -Q
    : >"$NAMESPACE/mq/empty"
    expect ls/empty-file 1 '.*/cli-good.*' '.*usipc: mq /empty: .*' "$USIPC" ls -Q
    expect rm/unknown-version 0 '' '' "$USIPC" rm msg "$index"
    expect rm/scribbled 0 '' '' "$USIPC" rm mq /cli-spoilt /empty
    expect ls/sound-again 0 '.*0x00000070.*/cli-good.*' '' "$USIPC" ls
    rm_ all
}

nothing_yet
columns
json
odd_names
removal
whole_namespace
other_user
unknown_layouts
unset USIPC_DIR
rm -rf "$NAMESPACE"

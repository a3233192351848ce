# Objects, keys and rooms that are not what they should be; sourced by run.sh.
# Every function here gets a fresh namespace directory and returns 0, or prints what is wrong.

# What calls on spoilt things may say.
GOOD_ERRNO='E(INVAL|IDRM|BADMSG|NOENT|ACCES|PERM|NOMSG|AGAIN|EXIST|NOSPC|NOMEM|NOTDIR|ISDIR|LOOP|NXIO|NODEV|BADF)'

# survives DIR STEPS...: the steps end in time, with an errno each at worst. What they said is in $SAID.
survives() {
    local status
    SAID=$(GUARD_S=$((5 * ($# - 1))) preloaded "$1" "$PROBE" "${@:2}" 2>"$SCRATCH/err")
    status=$?
    [ $status = 0 ] || { echo "probe ${*:2}: status $status after:"; echo "$SAID"; cat "$SCRATCH/err"; return 1; }
    ! grep -vE '^received |^[0-9]+$| ok$' <<<"$SAID" | grep -vE " $GOOD_ERRNO\$" ||
        { echo "probe ${*:2}: an errno that does not belong here"; return 1; }
}

MSG_STEPS="find:5 send:5:x recv:5 get:5 send:5:y recv:5 stat:0 rm:5 get:5 make:6:600"
PSEM_STEPS="sempost:/q semvalue:/q semmake:/q:5 semrm:/q semmake:/q:5"
PSHM_STEPS="shmread:/q shmmake:/q:new shmrm:/q shmmake:/q:new shmread:/q"
MQ_STEPS="mqsend:/q:x mqrecv:/q mqmake:/q:600 mqrm:/q mqmake:/q:600"

# The only entries of a room that are not bookkeeping.
entry_of() { find "$1" -mindepth 1 -maxdepth 1 ! -name '.*' | sort | head -n 1; }

# put_in_place PATH KIND: replaces what is at PATH by something else.
put_in_place() {
    rm -rf "$1"
    case $2 in
    directory) mkdir "$1" ;;
    full-directory) mkdir "$1" && : >"$1/file" ;;
    fifo) mkfifo "$1" ;;
    socket) "$HOSTILE/socket" "$1" ;;
    empty-file) : >"$1" ;;
    text-file) echo "nothing of yours" >"$1" ;;
    null-device) mknod "$1" c 1 3 2>/dev/null || : >"$1" ;;
    tty-device) mknod "$1" c 5 0 2>/dev/null || : >"$1" ;;
    dangling-link) ln -s nowhere "$1" ;;
    link-to-itself) ln -s "${1##*/}" "$1" ;;
    link-to-secret) ln -s "$SECRET" "$1" ;;
    link-to-directory) ln -s / "$1" ;;
    hard-link) ln "$SECRET" "$1" ;;
    nothing) ;;
    *) echo "no such kind: $2"; return 1 ;;
    esac
}

KINDS="directory full-directory fifo socket empty-file text-file null-device tty-device dangling-link
    link-to-itself link-to-secret link-to-directory hard-link nothing"

untouched() { printf 'secret, hands off' | cmp - "$1"; }

# replaced DIR ROOM MAKE-STEPS USE-STEPS: the file, key or whole room gives way to each kind of thing.
replaced() {
    local kind target SECRET=$1/secret
    for kind in $KINDS; do
        rm -rf "$1"/* && printf 'secret, hands off' >"$SECRET" && chmod 666 "$SECRET"
        preloaded "$1" "$PROBE" $3 >/dev/null || { echo "$kind: making failed"; return 1; }
        target=$(entry_of "$1/$2")
        [ -n "$target" ] || { echo "$2 has no entry"; return 1; }
        put_in_place "$target" "$kind" || return
        survives "$1" $4 || { echo "with $kind at ${target#"$1/"}"; return 1; }
        untouched "$SECRET" || { echo "with $kind in ${target#"$1/"}"; return 1; }
        put_in_place "$1/$2" "$kind" || return
        survives "$1" $4 || { echo "with $kind instead of $2/"; return 1; }
        untouched "$SECRET" || { echo "with $kind in ${target#"$1/"}"; return 1; }
    done
}

replaced_msg() { replaced "$1" msg "get:5 send:5:old" "$MSG_STEPS"; }
replaced_key() { replaced "$1" keys "get:5 send:5:old" "$MSG_STEPS"; }
replaced_mq() { replaced "$1" mq "mqmake:/q:600 mqsend:/q:old" "$MQ_STEPS"; }
replaced_psem() { replaced "$1" psem "semmake:/q:3" "$PSEM_STEPS"; }
replaced_pshm() { replaced "$1" pshm "shmmake:/q:old" "$PSHM_STEPS"; }
replaced_procs() { replaced "$1" procs "get:5 send:5:old mqmake:/q:600" "$MSG_STEPS $MQ_STEPS"; }

# The lifelines' places are names of a file that is precious to somebody: a process that registers
# writes into a file of its own making, or nowhere.
hard_linked_lives() {
    local n SECRET=$1/secret
    preloaded "$1" "$PROBE" get:5 >/dev/null && rm -f "$1"/procs/* && printf 'secret, hands off' >"$SECRET" || return
    for n in $(seq 0 63); do ln "$SECRET" "$1/procs/$n" || return; done
    for n in 1 2 3 4 5 6; do survives "$1" $MSG_STEPS $MQ_STEPS || return; done
    untouched "$SECRET"
}

# The lifelines' places are files of a user's, who could change what root writes there.
foreign_lives() {
    local n
    is_root || { echo "needs root"; return 77; }
    preloaded "$1" "$PROBE" get:5 >/dev/null && rm -f "$1"/procs/* || return
    for n in $(seq 0 63); do : >"$1/procs/$n" && chown 20003 "$1/procs/$n" || return; done
    for n in 1 2 3 4 5 6; do survives "$1" $MSG_STEPS $MQ_STEPS || return; done
    expect "files of the user's that were written to" "" "$(find "$1/procs" -uid 20003 -size +0)" &&
        [ -n "$(find "$1/procs" -type f -uid 0)" ]
}

# A key whose link says something else. A number that leads nowhere is a key whose creator or remover was
# killed: it must not stand in the way.
garbage_keys() {
    local text key
    for text in abc -5 0x10 12abc " 12" 99999999999999999999 2147483647 2147483648 4294967296 32767 /etc/passwd .. \
        "$(printf '%0200d' 1)" "$(printf '\303\274')"; do
        rm -rf "$1"/*
        preloaded "$1" "$PROBE" get:5 >/dev/null || return
        key=$(entry_of "$1/keys")
        ln -sfn -- "$text" "$key" || return
        survives "$1" $MSG_STEPS || { echo "with a key that says '$text'"; return 1; }
        case $text in
        *[!0-9]* | 99999999999999999999 | 2147483648 | 4294967296 | 0*) ;;
        *)
            grep -q '^get ok' <<<"$SAID" && continue
            echo "a key that leads to $text, which is not there, stays in the way:"
            echo "$SAID"
            return 1
            ;;
        esac
    done
}

# Files in the rooms that nobody of ours made.
garbage_names() {
    local room name
    preloaded "$1" "$PROBE" get:5 mqmake:/q:600 >/dev/null || return
    for room in msg mq keys procs; do
        for name in abc -1 99999999999999999999 32768 00000001 "1 " "..x" '?' "$(printf '%0250d' 7)" \
            "$(printf 'new\nline')" "$(printf '\377\376')" 31 msg-5 msg-zzzzzzzz msg-; do
            printf 'garbage' >"$1/$room/$name" || return
        done
        mkdir "$1/$room/17" "$1/$room/dir" && mkfifo "$1/$room/18" "$1/$room/fifo" && ln -s loop "$1/$room/loop" || return
    done
    survives "$1" find:5 send:5:x recv:5 make:31:600 make:8:600 make:9:600 send:9:y recv:9 mqsend:/q:x mqrecv:/q \
        mqmake:/abc:600 mqmake:/18:600 mqsend:/fifo:x mqrm:/fifo mqmake:/fifo:600 mqsend:/fifo:x || return
    grep -q 'received "y"' <<<"$SAID" || { echo "new queues do not work:"; echo "$SAID"; return 1; }
    tells_and_ends "$1" ls
}

# tells_and_ends DIR COMMAND...: the usipc command neither hangs nor crashes.
tells_and_ends() {
    local status
    [ -x "$USIPC" ] || return 0
    guarded env USIPC_DIR="$1" "$USIPC" "${@:2}" >"$SCRATCH/cli.out" 2>"$SCRATCH/cli.err"
    status=$?
    [ $status -lt 124 ] && ! grep -q panicked "$SCRATCH/cli.err" && return
    echo "usipc ${*:2}: status $status"
    cat "$SCRATCH/cli.err"
    return 1
}

# The bookkeeping files of a room are hints: spoilt or gone, everything works on.
spoilt_hints() {
    local hint how
    for how in gone empty short ones random directory fifo link; do
        rm -rf "$1"/*
        preloaded "$1" "$PROBE" get:5 send:5:old make:6:600 mqmake:/q:600 >/dev/null || return
        for hint in "$1"/*/.[!.]*; do
            [ -f "$hint" ] || continue
            case $how in
            gone) rm "$hint" ;;
            empty) : >"$hint" ;;
            short) truncate -s 100 "$hint" ;;
            ones) tr '\0' '\377' </dev/zero | head -c 8192 | dd of="$hint" conv=notrunc 2>/dev/null ;;
            random) head -c 8192 /dev/urandom | dd of="$hint" conv=notrunc 2>/dev/null ;;
            directory) rm "$hint" && mkdir "$hint" ;;
            fifo) rm "$hint" && mkfifo "$hint" ;;
            link) rm "$hint" && ln -s /dev/zero "$hint" ;;
            esac
        done
        survives "$1" find:5 send:5:x recv:5 mqsend:/q:x mqrecv:/q make:8:600 make:9:600 rm:5 rm:6 make:5:600 ||
            { echo "with hints $how"; return 1; }
        case $how in
        directory | fifo | link) ;;
        *) expect "with hints $how" "find ok
send ok
received \"old\"
recv ok
mqsend ok
received \"x\"
mqrecv ok
make ok
make ok
rm ok
rm ok
make ok" "$SAID" || return ;;
        esac
    done
}

cli_said() { echo "usipc ls, $1:"; cat "$SCRATCH/cli.out" "$SCRATCH/cli.err"; }

# A semaphore's file that is too short, sparse, too long or full of anything: opening it is an errno at
# worst. What sem_post makes of scrambled contents is the C library's business.
spoilt_semaphores() {
    local how file=$1/psem/q steps wanted
    for how in empty short sparse long ones random; do
        rm -rf "$1"/*
        preloaded "$1" "$PROBE" semmake:/q:3 >/dev/null || return
        steps="semvalue:/q sempost:/q semrm:/q" wanted="semvalue ok,sempost ok,semrm ok"
        case $how in
        empty) : >"$file" ;;
        short) truncate -s 31 "$file" ;;
        sparse) rm "$file" && truncate -s 32 "$file" ;;
        long) truncate -s 1M "$file" ;;
        ones) tr '\0' '\377' </dev/zero | head -c 32 | dd of="$file" conv=notrunc 2>/dev/null ;;
        random) head -c 32 /dev/urandom | dd of="$file" conv=notrunc 2>/dev/null ;;
        esac
        case $how in
        empty | short) wanted="semvalue EINVAL,sempost EINVAL,semrm ok" ;;
        ones | random) steps="semvalue:/q semrm:/q" wanted="semvalue ok,semrm ok" ;;
        esac
        tells_and_ends "$1" ls || return
        expect "$how" "$wanted" "$(preloaded "$1" "$PROBE" $steps | grep -v '^-\{0,1\}[0-9]*$' | paste -sd, -)" || return
    done
}

# The command says in a line which object it refuses and why.
cli_refuses() {
    local damage object
    [ -x "$USIPC" ] || { echo "no command at $USIPC"; return 77; }
    for damage in magic version wordsize kind truncated; do
        rm -rf "$1"/*
        preloaded "$1" "$PROBE" get:5 send:5:x mqmake:/queue:600 make:6:600 >/dev/null || return
        for object in "$(entry_of "$1/msg")" "$(entry_of "$1/mq")"; do
            case $damage in
            magic) printf 'X' | dd of="$object" conv=notrunc bs=1 seek=0 2>/dev/null ;;
            version) printf '\143' | dd of="$object" conv=notrunc bs=1 seek=8 2>/dev/null ;;
            wordsize) printf '\004' | dd of="$object" conv=notrunc bs=1 seek=12 2>/dev/null ;;
            kind) printf '\143' | dd of="$object" conv=notrunc bs=1 seek=16 2>/dev/null ;;
            truncated) truncate -s 200 "$object" ;;
            esac
        done
        tells_and_ends "$1" ls || return
        [ "$(wc -l <"$SCRATCH/cli.err")" -ge 2 ] || { cli_said "$damage: no line on stderr for each of two spoilt objects"; return 1; }
        [ $damage != version ] || grep -qi version "$SCRATCH/cli.err" || { cli_said "no word of the version"; return 1; }
        grep -q '\b0\b' "$SCRATCH/cli.err" && grep -q queue "$SCRATCH/cli.err" ||
            { cli_said "$damage: the lines do not name the objects"; return 1; }
        # The healthy one is still listed.
        grep -q 0x00000006 "$SCRATCH/cli.out" || { cli_said "$damage: the healthy queue is not listed"; return 1; }
        tells_and_ends "$1" ls --json || return
        tells_and_ends "$1" doctor || return
    done
}

# session.sh WHICH: a session at the shell with the programs in the current directory. What it prints is
# the same wherever the queues are: identifiers are replaced by their order.
exec 2>&1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Identifiers are typed as @N: the one that `create N` got.
declare -a ids
words=()
fill_in() { local word; words=(); for word; do [[ $word =~ ^@([0-9]+)$ ]] && word=${ids[BASH_REMATCH[1]]}; words+=("$word"); done; }
typed() { printf '%s' '$'; printf ' %s' "$@"; echo; }
# run PROGRAM ARGS...: the command as typed, its output and its status.
run() {
    typed "$@"
    fill_in "$@"
    "./${words[0]}" "${words[@]:1}"
    echo "= $?"
}
# begin PROGRAM ARGS...: as above, but goes on at once; `ended` shows how that came out.
begin() {
    typed "$@" "&"
    fill_in "$@"
    "./${words[0]}" "${words[@]:1}" >"$out" 2>&1 &
    begun=$!
    until_asleep $begun "${words[0]}"
}
# Until the process runs that program and sleeps, seen twice; at most 10 s.
until_asleep() {
    local i seen=0 state
    for i in $(seq 500); do
        state=$(sed -n 's/^[0-9]* (\(.*\)) \(.\).*/\1 \2/p' "/proc/$1/stat" 2>/dev/null)
        [ "$state" = "$2 S" ] && seen=$((seen + 1)) || seen=0
        [ $seen = 3 ] && return
        sleep 0.02
    done
    echo "$2 does not sleep: $state"
}
ended() {
    wait $begun
    echo "the one in the background = $?"
    cat "$out"
}
# create N ARGS...: svmsg_create, whose id becomes @N.
create() {
    typed svmsg_create "${@:2}"
    ids[$1]=$(./svmsg_create "${@:2}")
    echo "= $? $([[ ${ids[$1]} =~ ^[0-9]+$ ]] && echo "an id" || echo "${ids[$1]}")"
}
named() { local i; for i in "${!ids[@]}"; do [ "$1" = "${ids[i]}" ] && { echo "@$i"; return; }; done; echo "an id of nobody: $1"; }
list() {
    typed svmsg_ls
    ./svmsg_ls | while read -r -a word; do
        [[ ${word[0]-} =~ ^[0-9]+$ ]] && word[1]=$(named "${word[1]}")
        echo "${word[*]}"
    done
}
same() { [ "${ids[$1]}" = "${ids[$2]}" ] && echo "@$1 is @$2" || echo "@$1 is not @$2"; }
# Until the file has so many lines, at most 10 s.
lines() { local i; for i in $(seq 500); do [ "$(wc -l <"$1")" -ge "$2" ] && return; sleep 0.02; done; echo "no $2 lines in time"; }

svmsg() {
    list
    create 0 -c -k 0x1234
    create 1 -c -k 0x1234
    same 0 1
    create 2 -c -x -k 0x1234
    create 3 -k 0x99
    create 4 -p 600
    create 5 -p
    same 4 5
    create 6 -c -f . 0644
    create 7 -f .
    same 6 7
    create 8 -c -f ./nowhere
    run svmsg_send @0 20 "I hear and I forget."
    run svmsg_send @0 10 "I see and I remember."
    run svmsg_send @0 30 "I do and I understand."
    run svmsg_send @0 5
    run svmsg_send @0 0 "no such type"
    run svmsg_send -- @0 -7 "no such type"
    run svmsg_send -- -1 1 "no such queue"
    list
    run svmsg_receive @0 4
    run svmsg_receive -e @0 4
    run svmsg_receive -t 5 @0
    run svmsg_receive -x -t 10 @0
    run svmsg_receive -n -t 77 @0
    run svmsg_receive -t -15 @0
    run svmsg_receive -n @0
    # A receiver waits; a message comes.
    begin svmsg_receive @4 100
    run svmsg_send @4 3 "late"
    ended
    run svmsg_chqbytes @4 10
    run svmsg_send -n @4 1 "123456789"
    run svmsg_send -n @4 1
    run svmsg_send -n @4 1 "x"
    # A sender waits; there is room.
    begin svmsg_send @4 2 "waiting"
    run svmsg_receive @4
    ended
    list
    # A receiver waits; the queue goes.
    begin svmsg_receive -t 9 @5
    run svmsg_rm @5
    ended
    list
    run svmsg_rm @0 @4 @6
    run svmsg_rm @0
    run svmsg_chqbytes @0 10
    list
}

pmsg() {
    run pmsg_create -cx /mq
    run pmsg_create -cx /mq
    run pmsg_create /mq
    run pmsg_getattr /mq
    run pmsg_create -c -m 3 -s 20 /small 644
    run pmsg_getattr /small
    run pmsg_create -c -m 0 /bad
    run pmsg_create -c -s 0 /bad
    run pmsg_create -c noslash
    run pmsg_create -c /
    run pmsg_create -c /a/b
    run pmsg_send /mq msg-a 5
    run pmsg_send /mq msg-b 0
    run pmsg_send /mq msg-c 10
    run pmsg_send /mq bad 32768
    run pmsg_send /small "more than twenty bytes long"
    run pmsg_send /nowhere x
    run pmsg_getattr /mq
    run pmsg_receive /mq
    run pmsg_receive /mq
    run pmsg_receive -n /mq
    run pmsg_receive -n /mq
    begin pmsg_receive /mq
    run pmsg_send /mq "late" 7
    ended
    for i in 1 2 3; do run pmsg_send -n /small "$i"; done
    run pmsg_send -n /small "4"
    begin pmsg_send /small "waiting" 1
    run pmsg_receive /small
    ended
    for i in 1 2 3; do run pmsg_receive -n /small; done
    run pmsg_unlink /small
    run pmsg_unlink /small
    run pmsg_create /small
    run pmsg_unlink /mq
}

notify() {
    run pmsg_create -cx /mq
    begin mq_notify_sig /mq
    # Another one may not register.
    run mq_notify_sig /mq
    run pmsg_send /mq "four"
    lines "$out" 1
    run pmsg_send /mq "sixteen bytes ok"
    lines "$out" 2
    run pmsg_send /mq ""
    lines "$out" 3
    kill -KILL $begun
    # The shell's own word about it names a process.
    { ended; } 2>/dev/null
    # Nobody is told now, and the next one may register.
    run pmsg_send /mq "untold"
    run pmsg_getattr /mq
    run pmsg_unlink /mq
}

"$1"

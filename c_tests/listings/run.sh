#!/bin/bash
# A handful of the books' programs as the first real users: the same sessions on the kernel and on ours.
. "${0%/*}/../lib.sh"

PROGRAMS="svmsg_create svmsg_send svmsg_receive svmsg_rm svmsg_ls svmsg_chqbytes
    pmsg_create pmsg_send pmsg_receive pmsg_getattr pmsg_unlink mq_notify_sig"

built=yes
for program in $PROGRAMS; do compile "$program" "$HERE/$program.c" || built=no; done
[ $built = no ] || for session in svmsg pmsg notify; do
    cd "$BIN" && oracle "$session" bash "$HERE/session.sh" "$session"
done

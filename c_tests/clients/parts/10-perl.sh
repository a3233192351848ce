# Perl: its own calls, and IPC::Msg, IPC::Semaphore and IPC::SharedMem.

perl_clients() {
    local name
    for name in builtins ipc_msg ipc_semaphore ipc_sharedmem; do
        wants "perl-$name" perl perl || continue
        if ! perl -MIPC::SharedMem -e 1 2>/dev/null; then
            skip "perl-$name" "no IPC::SharedMem (type: apt-get install perl)"
            continue
        fi
        oracle "perl-$name" "${CONTAINED[@]}" perl "$CLIENTS/$name.pl"
    done
}

perl_clients

# Shared memory segments: kills, threads, handlers, memory, limits.

segment_limits() { # NAME "SYSCTL..." "ENVIRONMENT..." ARGS...
    local ORACLE_SYSCTL="$ORACLE_SYSCTL $2" ORACLE_ENV="$3"
    oracle "segments-$1" "$BIN/segments" "${@:4}"
}

given_back() { preloaded "$1" "$BIN/segments" given_back; }

build segments "$GROUND/segments.c" && {
    for mode in kills threads handlers sparse; do checked "segments-$mode" "$BIN/segments" $mode; done
    on_ours segments-given-back given_back
    segment_limits defaults "" "" limits 1 4096 0
    segment_limits shmmax kernel/shmmax=8192 USIPC_SHMMAX=8K limits 8191 8192 8193
    segment_limits shmall kernel/shmall=3 USIPC_SHMALL=3 limits 4096 8193 4097 1
    segment_limits shmmni kernel/shmmni=7 USIPC_SHMMNI=7 count 7
}

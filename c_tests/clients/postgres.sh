#!/bin/bash
# The life of a PostgreSQL cluster whose shared memory is System V's: postgres.sh BINDIR SECONDS, in an
# empty directory. Nobody else may have objects in the IPC namespace.
# (Debian's PostgreSQL has unnamed POSIX semaphores, which are the C library's business.)

. "${0%/*}/user_tests.sh"
BINDIR=$1
SECONDS_OF_BENCH=$2
export PATH=$BINDIR:$PATH PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PGDATA=$PWD/data
LOG=$PWD/server.log

explain() { tail -n 20 "$LOG" 2>/dev/null; }

query() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
start() { pg_ctl -w -t 60 -l "$LOG" start; }
stop() { pg_ctl -w -t 60 -m fast stop; }

# How often the server has said so.
said() { grep -c "$1" "$LOG"; }
says_again() { [ "$(said "$1")" -gt "$2" ]; }

# 16 MB of buffers: a container's /dev/shm may have no more than 64.
initialise() {
    initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C &&
        cat >>data/postgresql.conf <<CONF
shared_memory_type = sysv
dynamic_shared_memory_type = sysv
shared_buffers = 16MB
max_connections = 20
listen_addresses = ''
unix_socket_directories = '$PWD'
fsync = off
CONF
}

segments() { if [ -n "${USIPC_DIR:-}" ]; then ls "$USIPC_DIR/shm"; else tail -n +2 /proc/sysvipc/shm; fi; }

# The main segment, and the control segment of dynamic shared memory.
uses_system_v() {
    segments
    [ "$(query 'SHOW shared_memory_type'),$(query 'SHOW dynamic_shared_memory_type')" = sysv,sysv ] &&
        [ "$(segments | wc -l)" -ge 2 ]
}

bench_again() { pgbench -n -c 2 -t 100; }

# Workers get their tuples through a segment that is made for the query.
parallel_query() {
    query "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
        SET min_parallel_table_scan_size = 0;
        EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT aid FROM pgbench_accounts WHERE abalance > -1000000;
        SELECT 'sum', count(*), sum(aid) FROM pgbench_accounts" >parallel
    cat parallel
    grep -q 'Workers Launched: [12]' parallel && grep -qx 'sum|100000|5000050000' parallel
}

# A backend that is busy; its pid.
busy_backend() {
    query 'SELECT pg_sleep(1000)' >/dev/null 2>&1 &
    until_true backend_sleeps && backend_pid
}
backend_pid() { query "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1000)'"; }
backend_sleeps() { [ -n "$(backend_pid)" ]; }

# Memory that a killed backend had attached cannot be trusted: the server makes it all anew.
backend_killed() {
    local pid ready
    ready=$(said 'ready to accept connections')
    pid=$(busy_backend) && kill -KILL "$pid" &&
        until_true says_again 'all server processes terminated; reinitializing' 0 &&
        until_true says_again 'ready to accept connections' "$ready"
}

# The server is gone, a backend of its lives on (stopped, so that it does not notice): a new server must see
# from shm_nattch that the old segment is in use.
server_killed() {
    local server
    server=$(head -n 1 data/postmaster.pid)
    ORPHAN=$(busy_backend) && kill -STOP "$ORPHAN" && kill -KILL "$server" && until_true is_gone "$server" &&
        ! start && grep 'pre-existing shared memory block.*still in use' "$LOG"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# With nobody attached any more the segment is stale, and is replaced.
started_anew() {
    kill -KILL "$ORPHAN"
    until_true is_gone "$ORPHAN" && start && bench_again
}

step postgres-initdb initialise
step postgres-start start
step postgres-uses-sysv uses_system_v
step postgres-pgbench-init pgbench -i -q
step postgres-pgbench pgbench -c 4 -T "$SECONDS_OF_BENCH"
step postgres-parallel parallel_query
step postgres-backend-killed backend_killed
step postgres-pgbench-again bench_again
step postgres-server-killed server_killed
step postgres-started-anew started_anew
step postgres-stop stop
step postgres-nothing-left nothing_left

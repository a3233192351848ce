# PostgreSQL with its shared memory from System V, under pgbench.
UNIT=transactions/s BAR=1
BINDIR=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | head -n 1)
export PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres PGDATA=$PWD/data PATH=$BINDIR:$PATH

wanted() { need_command "$BINDIR/postgres" postgresql && need_command "$BINDIR/pgbench" postgresql; }

prepare() {
    initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C &&
        cat >>data/postgresql.conf <<CONF && start && pgbench -i -q && stop
shared_memory_type = sysv
dynamic_shared_memory_type = sysv
shared_buffers = 16MB
listen_addresses = ''
unix_socket_directories = '$PWD'
fsync = off
CONF
}

start() { with_ipc pg_ctl -w -t 60 -l server.log start >start.log; }
stop() { pg_ctl -w -t 60 -m fast stop >stop.log; }

play() {
    start && used shm && pgbench -n -c 4 -T "$SECONDS_OF_RUN" >pgbench.log 2>&1 || return
    awk '/^tps = / { print $3; exit }' pgbench.log
    stop
}

# PostgreSQL, from initdb to the last stop.

# The oldest of Debian's that is installed.
postgres_bindir() {
    local dir
    for dir in /usr/lib/postgresql/*/bin; do
        [ -x "$dir/postgres" ] && [ -x "$dir/pgbench" ] && { echo "$dir"; return; }
    done
    return 1
}

if POSTGRES=$(postgres_bindir); then
    user_tests postgres postgres.sh "$POSTGRES" 10
else
    skip postgres "no PostgreSQL server (type: apt-get install postgresql)"
fi

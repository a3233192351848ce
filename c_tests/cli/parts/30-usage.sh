# Bad input: one line that says what is wrong and what to do, exit status 2.

# usage NAME LINE ARGS...: LINE is an extended regular expression.
usage() {
    local name=$1 line=$2 lines; shift 2
    expect "usage/$name" 2 '' "usipc: $line" "$USIPC" "$@" || return
    lines=$(wc -l <"$SCRATCH/err")
    [ "$lines" = 1 ] || fail "usage/$name-in-one-line" "$lines lines"
}

usage nothing 'no command given: type usipc run .*'
usage unknown-command "unrecognized subcommand 'list'.*\(see usipc --help\)" list
usage unknown-option "unexpected argument '--jsno' found.*'--json'.*\(see usipc ls --help\)" ls --jsno
usage run-nothing 'the following required arguments were not provided: <PROGRAM>.*' run
usage run-both "the argument '--namespace <NAME>' cannot be used with '--dir <PATH>'.*" run --namespace a --dir /tmp true
usage run-private-dir "the argument '--private' cannot be used with '--dir <PATH>'.*" run --private --dir /tmp true
usage bad-namespace "the namespace name \"a/b\" may have only letters.*" ls --namespace a/b
usage empty-namespace "the namespace name \"\" may have only letters.*" ls --namespace ''
usage unknown-column "unknown column 'nope'; the columns are TYPE, KEY, .*" ls -o nope
usage both-kinds "the argument '--queues' cannot be used with '--posix-mqueues'.*" ls -q -Q
usage rm-nothing 'nothing to remove given: type usipc rm msg ID.*' rm
usage rm-no-number "invalid value 'x' for '\[ID\]...': not a 32-bit number.*" rm msg x
usage rm-no-id 'the following required arguments were not provided: <ID>.*' rm msg
usage dir-is-a-file '/etc/passwd is not a directory.*' ls --dir /etc/passwd

expect usage/help 0 'System V and POSIX IPC in user space.*' '' "$USIPC" --help
expect usage/version 0 "usipc $(sed -n 's/^version = "\(.*\)"/\1/p' "$TOP/Cargo.toml" | head -n 1)" '' "$USIPC" --version

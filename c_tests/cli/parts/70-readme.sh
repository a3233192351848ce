# Every command in a console block of README.md is run as it stands there and must print what is shown. All this
# in a mount namespace, since `make install` is one of them, and in an IPC namespace where the kernel makes no
# objects.

# The console blocks of README.md, one after another, each followed by a line of four dashes.
readme_blocks() { awk '/^```console$/ { on = 1; next } /^```$/ && on { on = 0; print "----" } on' "$TOP/README.md"; }

# Numbers, keys, names and widths differ from one run to the next.
masked() { sed -E -e "s/\\b$(id -un)\\b/USER/g; s/\\broot\\b/USER/g" -e 's/0x[0-9a-f]+/N/g; s/[0-9]+/N/g; s/ +/ /g; s/ $//'; }

# Whether the lines of the file $1 occur in the file $2, in their order.
in_order() {
    awk -v wanted_file="$1" '
        BEGIN { while ((getline line <wanted_file) > 0) wanted[++n] = line }
        at < n && wanted[at + 1] == $0 { at++ }
        END { exit at < n }' "$2"
}

# run_command NAME COMMAND SHOWN: the output of make demo has commands in it, which are compared as output.
run_command() {
    local name=$1 command=$2 shown=$3 where=$SCRATCH/readme
    [[ $command =~ ^(sudo )?make ]] && where=$TOP
    if ! (cd "$where" && eval "$command") >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null; then
        fail "$name" "'$command' failed"
        below "$SCRATCH/err"
        return
    fi
    masked <"$SCRATCH/out" >"$SCRATCH/out.masked"
    printf '%s' "$shown" | grep -v '^$' | masked >"$SCRATCH/shown.masked"
    if in_order "$SCRATCH/shown.masked" "$SCRATCH/out.masked"; then
        pass "$name"
    else
        fail "$name" "'$command' prints something else than is shown"
        diff -U0 "$SCRATCH/shown.masked" "$SCRATCH/out.masked" | below
    fi
}

run_blocks() {
    local line command='' shown='' number=0
    while IFS= read -r line; do
        if [[ $line == '----' || ( $line == '$ '* && $command != 'make demo' ) ]] && [ -n "$command" ]; then
            number=$((number + 1))
            run_command "readme/$number" "$command" "$shown"
            command='' shown=''
        fi
        if [[ $line == '$ '* && -z $command ]]; then
            command=${line#\$ }
        elif [[ $line != '----' ]]; then
            shown+=$line$'\n'
        fi
    done < <(readme_blocks)
    [ $number -ge 9 ] && pass readme/found || fail readme/found "only $number commands found in README.md"
}

# The second half of this script, inside the mount namespace.
if [ "${README_INSIDE:-}" = yes ]; then
    mkdir -p "$SCRATCH/readme"
    cp "$HERE/queue.c" "$SCRATCH/readme/program.c"
    command -v sudo >/dev/null || sudo() { "$@"; }
    export USIPC_NAMESPACE=readme-$$ PATH=$PATH:${USIPC%/*}
    unset USIPC_LIB
    run_blocks
    "$USIPC" rm namespace
    rmdir "/dev/shm/usipc-$(id -u)" 2>/dev/null || true
    return 0
fi

# What make install writes to goes to a memory file system laid over it.
overlay='for dir in /usr/local /etc; do
        over=$1$dir; mkdir -p "$over" && mount -t tmpfs none "$over" && mkdir "$over/up" "$over/work" &&
        mount -t overlay overlay -o "lowerdir=$dir,upperdir=$over/up,workdir=$over/work" "$dir" || exit
    done; echo 0 >/proc/sys/kernel/msgmni;
    echo 0 0 0 0 >/proc/sys/kernel/sem; echo 0 >/proc/sys/kernel/shmmni; echo 0 >/proc/sys/fs/mqueue/queues_max; shift; exec "$@"'
if [ "$(id -u)" != 0 ] || ! unshare -m -i sh -c "$overlay" sh "$SCRATCH/try" true 2>/dev/null; then
    skip readme "needs root and an overlay file system, so that make install changes nothing here"
elif ! command -v cargo >/dev/null || ! command -v pkg-config >/dev/null || ! command -v ipcmk >/dev/null; then
    skip readme "needs cargo, pkg-config and ipcmk"
else
    README_INSIDE=yes PART=70-readme unshare -m -i sh -c "$overlay" sh "$SCRATCH/over" bash "$HERE/run.sh"
fi

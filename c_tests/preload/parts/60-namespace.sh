# Which directory, whose, and who gets in.

isolated() {
    local other id status=0
    other=$(fresh_namespace) || return
    expect "one" "get ok
send ok
mqmake ok
semmake ok
shmmake ok" "$(preloaded "$1" "$BIN/probe" get:5 send:5:x mqmake:/q:600 semmake:/q:1 shmmake:/q:x)" &&
        expect "the other" "find ENOENT
mqsend ENOENT
sempost ENOENT
shmread ENOENT" "$(preloaded "$other" "$BIN/probe" find:5 mqsend:/q:x sempost:/q shmread:/q)" &&
        id=$(preloaded "$1" "$BIN/probe" id:5) &&
        expect "an identifier of the first in the other" "stat EINVAL" "$(preloaded "$other" "$BIN/probe" "stat:$id")" &&
        expect "the same in the first" "stat ok" "$(preloaded "$1" "$BIN/probe" "stat:$id")" &&
        [ -n "$(ls -A "$1/keys")" ] || status=1
    rm -rf "$other"
    return $status
}

openers() {
    is_root || { echo "needs root"; return 77; }
    preloaded "$1" "$BIN/openers"
}

in_mounts() {
    can_mount || { echo "needs root and mount namespaces"; return 77; }
    mkdir -m 711 "$SCRATCH/mounts.$2" || return
    PROBE=$BIN/probe LIBUSIPC=$LIBUSIPC SCRATCH=$SCRATCH/mounts.$2 \
        GUARD_S=120 guarded unshare -m bash "$GROUND/mounts.sh" "$2"
}

build probe "$GROUND/probe.c" && {
    on_ours namespace-isolated isolated
    for case in $(sed -n 's/^case_\([a-z_]*\)().*/\1/p' "$GROUND/mounts.sh"); do
        on_ours "namespace-${case//_/-}" in_mounts "$case"
    done
}
build openers "$GROUND/openers.c" && on_ours openers openers

# make install: a tree that works from where it is.

STAGE=$SCRATCH/stage
PREFIX=/opt/usipc

VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$TOP/Cargo.toml" | head -n 1)

compile_time() { PKG_CONFIG_PATH=$STAGE$PREFIX/lib/pkgconfig pkg-config --define-variable=prefix="$STAGE$PREFIX" "$@"; }

installed_files() {
    local wanted
    wanted="bin/usipc
include/usipc.h
$(cd "$TOP/include" && ls usipc/*.h | sed 's|^|include/|')
lib/libusipc.a
lib/libusipc.so -> libusipc.so.0
lib/libusipc.so.0 -> libusipc.so.$VERSION
lib/libusipc.so.$VERSION
lib/pkgconfig/usipc.pc
lib/tmpfiles.d/usipc.conf
share/man/man1/usipc.1"
    same install/files "$(sort <<<"$wanted")" \
        "$(cd "$STAGE$PREFIX" && find . -type f -printf '%P\n' -o -type l -printf '%P -> %l\n' | sort)"
}

linked_program() {
    local words
    if ! command -v pkg-config >/dev/null; then
        skip install/pkg-config "no pkg-config (type: apt-get install pkg-config)"
        return
    fi
    same install/version "$VERSION" "$(compile_time --modversion usipc)"
    words=$(compile_time --cflags --libs usipc)
    if ! $CC $CFLAGS -include usipc.h -o "$BIN/linked" "$HERE/queue.c" $words >"$SCRATCH/cc" 2>&1; then
        fail install/links "a program does not compile with: $words"
        below "$SCRATCH/cc"
        return
    fi
    uses_usipc install/links env LD_LIBRARY_PATH="$STAGE$PREFIX/lib" "$BIN/linked"
    if $CC $CFLAGS -o "$BIN/linked-static" "$HERE/queue.c" "$STAGE$PREFIX/lib/libusipc.a" >"$SCRATCH/cc" 2>&1; then
        uses_usipc install/links-static-library "$BIN/linked-static"
    else
        fail install/links-static-library "a program does not link with libusipc.a"
        below "$SCRATCH/cc"
    fi
}

# uses_usipc NAME PROGRAM...: without any preload, its queue is in the namespace.
uses_usipc() {
    local name=$1 dir id; shift
    dir=$(fresh_namespace)
    id=$(USIPC_DIR=$dir "$@" 0x31 /linked word 2>"$SCRATCH/err")
    same "$name" "0x00000031 $id 1" "$("$USIPC" ls --dir "$dir" -q --noheadings -o KEY,ID,MSGS | xargs)"
    rm -rf "$dir"
}

# The command finds its library from its own place.
installed_command() {
    local dir
    dir=$(fresh_namespace)
    same install/finds-its-library "$(readlink -f "$STAGE$PREFIX/lib/libusipc.so")" \
        "$(unset USIPC_LIB; "$STAGE$PREFIX/bin/usipc" run --dir "$dir" -- sh -c 'echo "$LD_PRELOAD"')"
    (unset USIPC_LIB; expect install/doctor 0 '.*ok +test child .*' '' "$STAGE$PREFIX/bin/usipc" doctor --dir "$dir")
    rm -rf "$dir"
    cp "$STAGE$PREFIX/bin/usipc" "$SCRATCH/usipc-alone"
    (unset USIPC_LIB; expect install/command-alone 2 '' \
        'usipc: no libusipc.so.0 in .* or beside .*; set USIPC_LIB to its path' "$SCRATCH/usipc-alone" run -- true)
}

# What the tmpfiles.d lines make is what the library takes for the system-wide namespace.
tmpfiles() {
    local root=$SCRATCH/tmpfiles rooms
    rooms=$(sed -n 's|^d /dev/shm/usipc/\([a-z]*\) *1[0-7]33 root root -$|\1|p; s|^d /dev/shm/usipc/\([a-z]*\) *1777 root root -$|\1|p' \
        "$STAGE$PREFIX/lib/tmpfiles.d/usipc.conf" | sort | xargs)
    mkdir -p "$root"
    "$USIPC" run --dir "$root/made" -- true
    same install/tmpfiles "$(ls "$root/made" | sort | xargs)" "$rooms"
    if [ "$(id -u)" != 0 ] || ! command -v systemd-tmpfiles >/dev/null; then
        skip install/systemd-tmpfiles "needs root and systemd-tmpfiles"
        return
    fi
    systemd-tmpfiles --root="$root" --create "$STAGE$PREFIX/lib/tmpfiles.d/usipc.conf" 2>/dev/null
    same install/systemd-tmpfiles "$(for room in . $rooms; do [ $room = poll ] && echo 1733 0 || echo 1777 0; done)" \
        "$(cd "$root/dev/shm/usipc" && for room in . $rooms; do stat -c '%a %u' "$room"; done)"
}

if ! make -C "$TOP" -s install DESTDIR="$STAGE" PREFIX=$PREFIX >"$SCRATCH/make" 2>&1; then
    fail install/install "make install failed"
    below "$SCRATCH/make"
    return 0
fi
installed_files
linked_program
installed_command
tmpfiles
make -C "$TOP" -s uninstall DESTDIR="$STAGE" PREFIX=$PREFIX >"$SCRATCH/make" 2>&1
same install/uninstall '' "$(find "$STAGE" ! -type d)"

# missing NAME MAKE-TARGET VARIABLE LINE: without the tool, make says what to type.
missing() {
    same "install/$1" 1 "$(make -C "$TOP" "$2" "$3" 2>&1 | grep -c "^make: $4 is missing; type: ")"
}
missing missing-cargo need-cargo CARGO=no-such-cargo "Rust's cargo"
missing missing-cc need-cc CC=no-such-cc 'a C compiler (no-such-cc)'

#!/bin/bash
# The ABI: what the library exports and needs, its headers, and programs linked with it.

. "${0%/*}/../lib.sh"

STATIC=${LIBUSIPC%.so}.a
NAMES=$HERE/exports.txt

# same_text NAME WANTED FOUND REASON: two files must be equal.
same_text() {
    if diff -U1 --label wanted --label found "$2" "$3" >"$SCRATCH/diff"; then
        pass "$1"
    else
        fail "$1" "$4"
        below "$SCRATCH/diff"
    fi
}

# dynamic TAG: the values of an entry of the dynamic section.
dynamic() { readelf -dW "$LIBUSIPC" | sed -n "s/.*($1).*[[:space:]]\[\{0,1\}\([^][]*\)\]\{0,1\}\$/\1/p"; }

exports() {
    nm -D --defined-only "$LIBUSIPC" | awk '{ print $3 }' | LC_ALL=C sort >"$SCRATCH/exports"
    same_text exports "$NAMES" "$SCRATCH/exports" "the exported symbols are not those of exports.txt"
    if readelf -VW "$LIBUSIPC" | grep -q 'Version definition'; then
        fail unversioned "a symbol has a version, and would not be preferred to libc's"
    else
        pass unversioned
    fi
}

tags() {
    [ "$(dynamic SONAME)" = libusipc.so.0 ] && pass soname || fail soname "it is '$(dynamic SONAME)'"
    case $(dynamic FLAGS_1) in
        *NODELETE*) pass nodelete ;;
        *) fail nodelete "dlclose would unmap the library (FLAGS_1: $(dynamic FLAGS_1))" ;;
    esac
    local others
    others=$(dynamic NEEDED | grep -Ev '^(libc\.so\.6|libc\.musl-.*|ld-linux.*)$' | tr '\n' ' ')
    [ -z "$others" ] && pass needed || fail needed "it needs $others"
}

size() {
    local bytes
    strip -o "$SCRATCH/stripped" "$LIBUSIPC"
    bytes=$(stat -c %s "$SCRATCH/stripped")
    [ "$bytes" -lt 271000 ] && pass size || fail size "$bytes bytes stripped, 271000 allowed"
}

start() {
    compile start "$HERE/start.c" || return
    if "$BIN/start" "$LIBUSIPC" 28 >"$SCRATCH/start" 2>&1; then pass start; else
        fail start "programs start more slowly with the library (build.rs lays it out)"
        below "$SCRATCH/start"
    fi
}

headers_current() {
    command -v cargo >/dev/null || { skip headers-current "no cargo"; return; }
    if ! (cd "$TOP" && cargo run -q --example headers -- "$SCRATCH/include") >"$SCRATCH/cargo" 2>&1; then
        fail headers-current "they cannot be generated"
        below "$SCRATCH/cargo"
    elif diff -rU1 "$TOP/include" "$SCRATCH/include" >"$SCRATCH/diff"; then
        pass headers-current
    else
        fail headers-current "include/ differs from what the sources give (make headers)"
        below "$SCRATCH/diff"
    fi
}

headers_with() {
    headers_as "headers-$1-${2#-std=}" "$@" -Wall -Wextra -pedantic
}

# headers_as NAME COMPILER FLAGS...: in every order of inclusion, with and without glibc's inline functions.
headers_as() {
    local name=$1 order level; shift
    command -v "$1" >/dev/null || { skip "$name" "no $1"; return; }
    for order in 1 2 3 4; do
        for level in -O0 "-O2 -D_FORTIFY_SOURCE=2"; do
            build_with "$name" "$@" -Werror -DORDER=$order $level \
                -I"$TOP/include" "$HERE/headers.c" -o "$SCRATCH/headers" -lrt || return
        done
    done
    pass "$name"
}

# In system headers g++ forgives a declaration that throws where another does not: as ordinary
# headers they show it.
headers_noexcept() {
    local dirs
    dirs=$(g++ -x c++ -E -v /dev/null 2>&1 >/dev/null | sed -n '/^#include </,/^End/s/^ \//-I\//p')
    headers_as headers-noexcept g++ -std=c++17 -x c++ -nostdinc -nostdinc++ $dirs
}

headers_compile() {
    headers_with gcc -std=c11
    headers_with gcc -std=gnu11
    headers_with g++ -std=c++17 -x c++
    headers_noexcept
    headers_with clang -std=c11
    headers_with clang++ -std=c++17 -x c++
}

# library_dir: as `make install` lays it out, for -lusipc.
library_dir() {
    mkdir -p "$SCRATCH/lib"
    cp "$LIBUSIPC" "$SCRATCH/lib/libusipc.so.0"
    ln -sf libusipc.so.0 "$SCRATCH/lib/libusipc.so"
    DYNAMIC=(-L"$SCRATCH/lib" -Wl,-rpath,"$SCRATCH/lib" -lusipc)
}

addresses() {
    sed 's/.*/X(&)/' "$NAMES" >"$SCRATCH/exports.h"
    local flags=(-fPIE -pie -DEXPORTS="\"$SCRATCH/exports.h\"" "$HERE/addresses.c")
    compile addresses-shared "${flags[@]}" "${DYNAMIC[@]}" &&
        same_address addresses-shared libusipc.so.0
    compile addresses-archive "${flags[@]}" -rdynamic "$STATIC" &&
        same_address addresses-archive addresses-archive
}

same_address() {
    if "$BIN/$1" "$2" >"$SCRATCH/addresses" 2>&1; then pass "$1"; else
        fail "$1" "not every function is the library's own, with unwind tables"
        below "$SCRATCH/addresses"
    fi
}

# The same calls on the kernel, and with the library preloaded and linked in each way.
calls() {
    have_kernel || { skip calls "no fresh kernel IPC namespace here (unshare is refused)"; return; }
    compile calls "$HERE/calls.c" || return
    on_kernel "$BIN/calls" /usipc-abi >"$SCRATCH/kernel" 2>&1 </dev/null
    same_calls calls-preload env LD_PRELOAD="$LIBUSIPC" "$BIN/calls"
    local ours=(-DWITH_OUR_HEADERS -I"$TOP/include" "$HERE/calls.c")
    compile calls-shared "${ours[@]}" "${DYNAMIC[@]}" && same_calls calls-shared "$BIN/calls-shared"
    compile calls-archive "${ours[@]}" "$STATIC" && same_calls calls-archive "$BIN/calls-archive"
    # In a program without the dynamic linker the library has bare system calls to fall back on, and
    # none for initgroups.
    compile calls-static -static "${ours[@]}" "$STATIC" || return
    sed -i 's/^initgroups.*/initgroups("root", getgid()): -1 ENOSYS/' "$SCRATCH/kernel"
    same_calls calls-static "$BIN/calls-static"
}

same_calls() {
    local name=$1 dir; shift
    dir=$(fresh_namespace) || return
    USIPC_DIR=$dir timeout -k 5 "$HANG_GUARD_S" ${USER_NS[@]+"${USER_NS[@]}"} "$@" /usipc-abi \
        >"$SCRATCH/calls" 2>&1 </dev/null
    echo "exit status $?" >>"$SCRATCH/calls"
    rm -rf "$dir"
    { cat "$SCRATCH/kernel"; echo "exit status 0"; } >"$SCRATCH/wanted"
    same_text "$name" "$SCRATCH/wanted" "$SCRATCH/calls" "the calls give something else than on the kernel"
}

# The wrong calls that _FORTIFY_SOURCE catches end the process here as they do in glibc.
fortified() {
    local call
    compile fortified "$HERE/fortified.c" || return
    for call in mq_open poll; do
        oracle "fortified-$call" sh -c 'ulimit -c 0; "$0" "$1" 2>&1; echo "status $?"' "$BIN/fortified" "$call"
    done
}

cancelled() {
    command -v "${CXX%% *}" >/dev/null || { skip cancelled "no C++ compiler '$CXX'"; return; }
    compile_cxx cancelled "$HERE/cancelled.cc" && oracle cancelled "$BIN/cancelled"
}

exports
tags
size
start
headers_current
headers_compile
library_dir
addresses
calls
fortified
cancelled

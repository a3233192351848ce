#!/bin/bash
# The scripted scenes of all that blocks: each program must tell the same story on the kernel's
# message queues and on ours.
#
#     SUBJECT=kernel c_tests/check.sh scenes    shows that a scene is deterministic
#     SCENES="poll notify" c_tests/check.sh scenes

. "${0%/*}/../lib.sh"

: "${SCENES:=$(cd "$HERE" && ls -- *.c *.cc | sed 's/\.cc\{0,1\}$//')}"

flags_of() { case $1 in *_unwind) echo -fexceptions ;; esac; }

for scene in $SCENES; do
    if [ -e "$HERE/$scene.c" ]; then
        compile "$scene" $(flags_of "$scene") "$HERE/$scene.c" || continue
    elif ! command -v "${CXX%% *}" >/dev/null; then
        skip "$scene" "no C++ compiler '$CXX' (Debian: apt-get install g++)"
        continue
    else
        compile_cxx "$scene" -fexceptions "$HERE/$scene.cc" || continue
    fi
    for part in $("$BIN/$scene" --list); do oracle "$scene.$part" "$BIN/$scene" "$part"; done
done

#!/bin/bash
# Compiles the benchmark and the peers into a directory: bench/build.sh DIR. Without Boost, the peers are
# glibc's semaphores alone, and a line on stdout says why.

set -eu
here=$(cd "${0%/*}" && pwd)
out=$1
: "${CC:=cc}"
: "${CXX:=c++}"
flags="-O2 -g -Wall -Wextra -Werror -Wno-missing-field-initializers"
frame=$(cd "$here" && echo main.c frame.c channels.c groups.c doors.c kinds.c)
boost='#include <boost/interprocess/ipc/message_queue.hpp>'

mkdir -p "$out"
cd "$here"
"$CC" -std=c11 $flags -o "$out/bench" $frame system.c calls.c -pthread -lrt

if ! command -v "${CXX%% *}" >/dev/null; then
    missing="no C++ compiler '$CXX' (type: apt-get install g++)"
elif ! echo "$boost" | "$CXX" -x c++ -E - >/dev/null 2>&1; then
    missing="no Boost.Interprocess (type: apt-get install libboost-dev)"
else
    missing=
fi
if [ -n "$missing" ]; then with=; else with=-DWITH_BOOST; fi
objects=()
for source in $frame peers/sem_t.c; do
    object=$out/peers-$(basename "$source").o
    "$CC" -std=c11 $flags $with -c -o "$object" "$source"
    objects+=("$object")
done
if [ -n "$missing" ]; then
    echo "$missing"
    "$CC" -o "$out/peers" "${objects[@]}" -pthread -lrt
else
    # Boost's own headers warn.
    "$CXX" -std=c++17 -O2 -g -o "$out/peers" peers/boost.cc "${objects[@]}" -pthread -lrt
fi
rm -f "${objects[@]}"

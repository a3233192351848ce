#!/bin/bash
# The programs of two books, in scenes that are played three ways: on the kernel, under the preload, linked.
#
#     c_tests/check.sh listings
#     LISTING=svmsg_send c_tests/check.sh listings     the scenes in which that program runs
#     LISTING=tlpi/svmsg c_tests/check.sh listings     the scenes of that directory
#     UPDATE=1 c_tests/check.sh listings               writes anew what the kernel prints, for machines that
#                                                      do not let us have a fresh namespace of its
#     SUBJECT=kernel c_tests/check.sh listings         shows that the scenes are deterministic
#
# <book>/<dir>/*.c are the programs. The file <book>/<dir>/programs, if there is one, has a line
# `PROGRAM: file.c... [flags]` for each that is not one file of its own name.
# <book>/<dir>/scenes/NAME.sh is a scene, in the language of session.sh; NAME.kernel is what the kernel prints.

. "${0%/*}/../lib.sh"
. "$HERE/build.sh"
. "$HERE/ways.sh"
. "$HERE/table.sh"

: "${LISTING:=}"
: "${UPDATE:=}"
# Most of a scene is waiting.
: "${JOBS:=$((2 * $(nproc)))}"

# chosen DIR [SCENE]: whether it is asked for, or is the place of a program that is.
chosen() {
    if [ -z "$LISTING" ] || [ "$LISTING" = "$1" ]; then return; fi
    if [ $# = 2 ]; then grep -qw -e "$LISTING" "$2"; else programs_of "$1" | cut -d: -f1 | grep -qx -e "$LISTING"; fi
}

dirs=()
for dir in "$HERE"/{tlpi,unp}/*/; do
    dir=${dir#"$HERE"/} dir=${dir%/}
    [ -n "$(programs_of "$dir")" ] && chosen "$dir" && dirs+=("$dir")
done
if [ ${#dirs[@]} = 0 ]; then
    fail "${LISTING:-all}" "there is no such program or directory"
    exit 0
fi

build_all "${dirs[@]}"
built=0 scenes=()
for dir in "${dirs[@]}"; do
    is_built "$dir" || continue
    built=$((built + $(programs_of "$dir" | wc -l)))
    [ -n "$LISTING" ] || every_program_has_a_scene "$dir"
    for scene in "$HERE/$dir"/scenes/*.sh; do
        [ -e "$scene" ] && chosen "$dir" "$scene" && scenes+=("$scene")
    done
done
[ -z "$LISTING" ] || [ ${#scenes[@]} != 0 ] || fail "$LISTING" "runs in no scene"

if [ -z "$LISTING" ]; then
    is_matrix_built
    is_table_right "${dirs[@]}"
    kernel_refuses
fi

[ -z "$UPDATE" ] || [ -n "$LISTING" ] || echo "$RELEASE" >"$HERE/snapshots-of"
n=0
for scene in ${scenes[@]+"${scenes[@]}"}; do
    n=$((n + 1))
    check_scene "$scene" >"$SCRATCH/$n.result" 2>&1 &
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
done
wait
for ((i = 1; i <= n; i++)); do cat "$SCRATCH/$i.result"; done
echo "# listings: $built programs, $n scenes, ${#WAYS[@]} ways (${WAYS[*]})"

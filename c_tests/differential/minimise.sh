#!/bin/bash
# Takes a difference apart: leaves out of a run all commands that it does not need, and shows what remains.
#
#     c_tests/differential/minimise.sh --seed N --calls N [--only KIND] [--avoid NAME]... [--no-copy]
#     c_tests/differential/minimise.sh --replay SCRIPT
#
# The script that remains is left in target/c_tests/differential/minimal.script; --replay runs it again. A
# command may be edited or taken out by hand: it is a number, a worker, a name and the arguments (words.c).
# A shorter run counts only where its first difference is in the same command and of the same kind.
. "${0%/*}/../lib.sh"
. "$HERE/sides.sh"

WORK=$SCRATCH/minimise
MINIMAL=$BIN/minimal.script

# What marks the difference between two runs of a script: the number of the command, and whether each side gave
# an error, and which, or that it shows in what the stage saw. Empty where they do not differ.
difference_of() {
    both "$WORK" --replay "$1" ${AVOID[@]+"${AVOID[@]}"}
    compare_traces "$WORK" >"$WORK.verdict" 2>&1 && return
    awk '
        function outcome() {
            if (/^[a-z]*: +[sm][0-9]+:/) return "seen"
            return match($0, / = -1 E[A-Z0-9]*/) ? substr($0, RSTART + 6, RLENGTH - 6) : "done"
        }
        function number() { return match($0, /^[a-z: ]*#[0-9]+ /) ? substr($0, RSTART, RLENGTH) : "" }
        /^  / && number() != "" { at = number() }
        /^kernel:/ && !kernel { kernel = outcome(); if (number() != "") at = number() }
        /^usipc:/ && !usipc { usipc = outcome() }
        END { gsub(/[^0-9]/, "", at); print at, kernel, usipc }' "$WORK.verdict"
}

# still_differs SCRIPT: whether it shows the difference looked for.
still_differs() { [ "$(difference_of "$1")" = "$target" ]; }

# Leaves out chunks of ever smaller size.
shrink() {
    local script=$1 lines chunk from shorter=$WORK.shorter
    chunk=$(($(wc -l <"$script") / 2))
    while [ "$chunk" -ge 1 ]; do
        from=1
        lines=$(wc -l <"$script")
        while [ "$from" -lt "$lines" ]; do
            # The last line is the command that differs.
            awk -v from="$from" -v to=$((from + chunk - 1)) -v last="$lines" \
                'NR < from || NR > to || NR == last' "$script" >"$shorter"
            if ! cmp -s "$shorter" "$script" && still_differs "$shorter"; then
                cp "$shorter" "$script"
                lines=$(wc -l <"$script")
            else
                from=$((from + chunk))
            fi
        done
        echo "chunks of $chunk: $lines commands left" >&2
        chunk=$((chunk / 2))
    done
}

prepare minimise >&2
if [ "${1-}" = --replay ]; then
    cp "$2" "$WORK.script"
else
    kernel_side "$WORK.recorded" "$@" --record "$WORK.script"
fi
target=$(difference_of "$WORK.script")
[ -n "$target" ] || { echo "minimise.sh: the two sides do not differ"; exit 1; }
# What comes after the command that differs does not matter.
awk -v last="${target%% *}" '{ print } $1 == last { exit }' "$WORK.script" >"$MINIMAL"
echo "differs in ($target), command, kernel, usipc; taking it apart from $(wc -l <"$MINIMAL") commands" >&2
shrink "$MINIMAL"
difference_of "$MINIMAL" >/dev/null
cat "$WORK.verdict"
echo "again: $HERE/minimise.sh --replay $MINIMAL" | sed "s|$TOP/||g"

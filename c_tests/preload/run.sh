#!/bin/bash
# The ground floor: what every object rests on, tried from inside other people's processes.
. "${0%/*}/../lib.sh"
. "$TOP/c_tests/preload/ground.sh"

for part in "$GROUND"/parts/*.sh; do
    [ -z "${PART:-}" ] || [ "${part##*/}" = "$PART.sh" ] || continue
    . "$part"
done

# No identifier comes twice. Which ones there are is the system's affair: they are shown by their order.
. "$SESSION"

in_order() {
    typed "$@"
    # The kernel takes the next place, usipc the same one with the next number.
    "./$@" | sed 's/seq = [0-9]*/seq = N/' | awk '{
        line = ""
        while (match($0, / = [0-9]+/)) {
            id = substr($0, RSTART + 3, RLENGTH - 3)
            if (!(id in order)) order[id] = ++known
            line = line substr($0, 1, RSTART + 2) "@" order[id]
            $0 = substr($0, RSTART + RLENGTH)
        }
        print line $0
    }'
}
in_order slot
in_order slotseq
in_order twoqueues

# Sourced by run.sh: the table of c_tests/README.md, made of what stands at the head of each program:
#
#     /* TLPI 46, listing 46-4: COMMAND LINE: what it shows. */
#     /* UNP vol. 2, figure 6.5, COMMAND LINE: what it shows. */

README=$TOP/c_tests/README.md
TABLE_BEGINS='<!-- made of the heads of the programs by UPDATE=1 c_tests/check.sh listings -->'
TABLE_ENDS='<!-- end of the table -->'

# The first comment of a file, as one line.
head_of() { sed '/\*\//q' "$1" | sed 's|^/\*||; s|\*/.*||; s|^ \*||; s|^ *||; s| *$||' | grep . | paste -sd' '; }

# row DIR PROGRAM FIRST-SOURCE
row() {
    local head rest place command source=${HERE}/$1/$3
    head=$(head_of "$source")
    if [[ $head == TLPI* ]]; then place=${head#TLPI ?*, } place=${place%%: *}; else place=$(cut -d, -f2 <<<"$head") place=${place# }; fi
    rest=${head#*"$place"} rest=${rest#[,:] }
    # A colon that is not in the command line is followed by a space.
    command=${rest%%: *} rest=${rest#*: }
    rest=${rest//|/\\|} rest=${rest//</\\<}
    [ "$3" = "$2.c" ] && source= || source=" (${3##*../})"
    echo "| $place | \`$2\`$source | \`${command//|/\\|}\` | $rest |"
}

chapter_of() {
    case $1 in
    tlpi/svipc) echo "chapter 45, introduction to System V IPC" ;;
    tlpi/svmsg) echo "chapter 46, System V message queues" ;;
    tlpi/svsem) echo "chapter 47, System V semaphores" ;;
    tlpi/svshm) echo "chapter 48, System V shared memory" ;;
    tlpi/pmsg) echo "chapter 52, POSIX message queues" ;;
    tlpi/psem) echo "chapter 53, POSIX semaphores" ;;
    tlpi/pshm) echo "chapter 54, POSIX shared memory" ;;
    unp/svipc) echo "chapter 3, System V IPC" ;;
    unp/pxmsg) echo "chapter 5, POSIX message queues" ;;
    unp/my_pxmsg_mmap) echo "chapter 5, the self tests of the queues that the book makes of a mapped file" ;;
    unp/svmsg) echo "chapters 3 and 6, System V message queues" ;;
    unp/svmsgcliserv) echo "chapter 6, a server and a client, a queue in each direction" ;;
    unp/svmsgmpx1q) echo "chapter 6, one queue for all clients" ;;
    unp/svmsgmpxnq) echo "chapter 6, a queue for each client" ;;
    unp/pxsem) echo "chapter 10, POSIX semaphores" ;;
    unp/my_pxsem_*) echo "chapter 10, the self tests of semaphores that the book makes of other things" ;;
    unp/svsem) echo "chapter 11, System V semaphores" ;;
    unp/lock) echo "chapters 10 and 11, appendix A, locks of semaphores" ;;
    unp/shm) echo "chapter 12, counters in shared memory; chapter 6, select and a queue" ;;
    unp/pxshm) echo "chapter 13, POSIX shared memory" ;;
    unp/svshm) echo "chapter 14, System V shared memory" ;;
    unp/bench) echo "appendix A, performance" ;;
    esac
}

table() {
    local dir program words
    for dir; do
        printf '\n### %s: %s\n\n' "$dir" "$(chapter_of "$dir")"
        echo '| in the book | program (its file) | what to type | what it shows |'
        echo '|---|---|---|---|'
        programs_of "$dir" | sort -t: -k1,1 | while IFS=: read -r program words; do
            set -- $words
            row "$dir" "$program" "$1"
        done | sort -t'|' -k2,2V -s
    done
    echo
}

# Whether the table is as the programs are.
is_table_right() {
    if ! grep -qxF "$TABLE_BEGINS" "$README" || ! grep -qxF "$TABLE_ENDS" "$README"; then
        fail readme "c_tests/README.md has no place for the table"
        return
    fi
    table "$@" >"$SCRATCH/table"
    awk -v begins="$TABLE_BEGINS" -v ends="$TABLE_ENDS" -v table="$SCRATCH/table" '
        $0 == ends { inside = 0 }
        !inside { print }
        $0 == begins { inside = 1; while ((getline line <table) > 0) print line }' "$README" >"$SCRATCH/README"
    [ -z "$UPDATE" ] || cp "$SCRATCH/README" "$README"
    if cmp -s "$README" "$SCRATCH/README"; then pass readme; return; fi
    fail readme "the table in c_tests/README.md is not as the programs are (UPDATE=1 writes it anew)"
    differing README.md "$README" programs "$SCRATCH/README"
}

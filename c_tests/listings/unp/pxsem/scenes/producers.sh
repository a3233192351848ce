# Producers and consumers. How many items each of several threads had is chance: their sum is not.
. "$SESSION"
export PX_IPC_NAME=/

sums() {
    typed "$@"
    "./$@" | sed 's/\[.*=//' |
        awk '{ n = $NF; $NF = ""; sum[$0] += n } END { for (what in sum) print what sum[what] }' | sort
    echo "= ${PIPESTATUS[0]}"
}

run prodcons1 0
run prodcons1 20000
# The names are gone.
run prodcons1 10
run prodcons2 20000
sums prodcons3 10000 1
sums prodcons3 20000 5
sums prodcons4 20000 4 3
sums prodcons4 5 10 10
for program in prodcons1 prodcons2 prodcons3 prodcons4 deadlock; do run $program; done
run prodcons3 1
run prodcons4 1 1

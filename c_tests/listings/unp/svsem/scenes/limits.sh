# A thousand new sets are all zeros; how many sets, semaphores, operations, undo entries there may be.
. "$SESSION"

run sh -c './initval | sort | uniq -c'
limit semmni 20
limit semmsl 30
limit semopm 10
run limits

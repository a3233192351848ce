# The tests on semaphores that are made of System V semaphores, whose names are files.
. "$SESSION"
mkdir names
export PX_IPC_NAME=names

run prodcons1
run prodcons1 0
run prodcons1 1
run prodcons1 10
run prodcons1 5000
run testeintr
run testsem
run testsem 1 1 1
# Many at once: one makes each set, the others must not take from it before it has its value.
run testsem 40 8 80
run testsem 3 30 300
run testsem 1 2 32767
run testsem 1 1 32768
# One that is there.
run touch names/mutex
run prodcons1 10
run rm names/mutex
run ls names
export PX_IPC_NAME=nowhere
run testsem 1 1 1

# How many segments, how many attached, how small and how large.
. "$SESSION"

limit shmmni 30
limit shmmax 300000
run limits

# An alarm's handler ends sem_wait with EINTR.
. "$SESSION"
export PX_IPC_NAME=/

run testeintr

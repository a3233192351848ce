# Python's sysv_ipc or posix_ipc, in one process: a message sent and received; System V also a semaphore
# taken and released (those of posix_ipc are the C library's).
UNIT=rounds/s BAR=1

wanted() { need_python "$PART"; }

prepare() {
    cat >loop.py <<'PYTHON'
import sys, time

seconds, module = float(sys.argv[1]), sys.argv[2]
if module == "sysv_ipc":
    import sysv_ipc
    queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
    semaphore = sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX, initial_value=1)
else:
    import posix_ipc
    queue = posix_ipc.MessageQueue("/usipc-bench", posix_ipc.O_CREX)
    semaphore = None
start, rounds = time.monotonic(), 0
while time.monotonic() - start < seconds:
    for _ in range(1000):
        queue.send(b"x" * 64)
        queue.receive()
        if semaphore:
            semaphore.acquire()
            semaphore.release()
    rounds += 1000
print(rounds / (time.monotonic() - start))
if semaphore:
    queue.remove()
    semaphore.remove()
else:
    queue.close()
    queue.unlink()
PYTHON
}

play() { with_ipc "$PYTHON" loop.py "$SECONDS_OF_RUN" "$PART"; }

"""posix_ipc.Semaphore: names, values, timeouts, threads and another process."""
import os
import posix_ipc
import signal
import threading
import time

NAME = "/usipc-clients-semaphore"


def show(*words):
    print(*words, flush=True)


def refused(call):
    try:
        return call()
    except (posix_ipc.Error, OSError, ValueError) as error:
        return type(error).__name__


show("none yet", refused(lambda: posix_ipc.Semaphore(NAME)))
semaphore = posix_ipc.Semaphore(NAME, posix_ipc.O_CREX, mode=0o600, initial_value=2)
show("again", refused(lambda: posix_ipc.Semaphore(NAME, posix_ipc.O_CREX)))
show("bad names", refused(lambda: posix_ipc.Semaphore("/with/slash", posix_ipc.O_CREX)),
     refused(lambda: posix_ipc.Semaphore("/" + "x" * 300, posix_ipc.O_CREX)))
show("value", semaphore.value, posix_ipc.Semaphore(NAME, posix_ipc.O_CREAT, initial_value=9).value)
semaphore.acquire()
with semaphore:
    show("timeout", semaphore.value, refused(lambda: semaphore.acquire(timeout=0)),
         refused(lambda: semaphore.acquire(timeout=0.1)))
show("released", semaphore.value)
semaphore.acquire()

# A child posts what a thread waits for.
sleeper = threading.Thread(target=semaphore.acquire)
sleeper.start()
child = os.fork()
if not child:
    time.sleep(0.2)
    posix_ipc.Semaphore(NAME).release()
    os._exit(0)
sleeper.join(30)
show("posted by a child", not sleeper.is_alive(), os.waitpid(child, 0)[1], semaphore.value)

# Two processes take turns.
turns = [posix_ipc.Semaphore(None, posix_ipc.O_CREX) for _ in range(2)]
show("named by the module", all(turn.name.startswith("/") for turn in turns), turns[0].name != turns[1].name)
child = os.fork()
if not child:
    for _ in range(1000):
        turns[0].acquire()
        turns[1].release()
    os._exit(0)
for _ in range(1000):
    turns[0].release()
    turns[1].acquire(timeout=30)
show("turns", os.waitpid(child, 0)[1], [turn.value for turn in turns])
for turn in turns:
    turn.unlink()
    turn.close()

signal.signal(signal.SIGALRM, lambda *_: show("alarm"))
signal.alarm(1)
show("interrupted", refused(semaphore.acquire))

# Unlinked, but there for those who have it; the name makes a new one.
semaphore.unlink()
semaphore.release()
show("unlinked", semaphore.value, refused(lambda: posix_ipc.Semaphore(NAME)), refused(semaphore.unlink))
other = posix_ipc.Semaphore(NAME, posix_ipc.O_CREX, initial_value=5)
show("another", other.value, semaphore.value)
semaphore.close()
other.close()
show("kept", posix_ipc.Semaphore(NAME).value)
posix_ipc.unlink_semaphore(NAME)

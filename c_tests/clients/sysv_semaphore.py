"""sysv_ipc.Semaphore: values, undo, waiting for zero, sleepers in threads and in another process."""
import os
import signal
import sysv_ipc
import threading
import time


def show(*words):
    print(*words, flush=True)


def refused(call):
    try:
        return call()
    except (sysv_ipc.Error, OSError, ValueError) as error:
        return type(error).__name__


def until(condition):
    deadline = time.time() + 30
    while not condition() and time.time() < deadline:
        time.sleep(0.01)
    return condition()


key = sysv_ipc.ftok(__file__, 7, silence_warning=True)
show("none yet", refused(lambda: sysv_ipc.Semaphore(key)))
semaphore = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, mode=0o640, initial_value=2)
show("again", refused(lambda: sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX)))
show("same", sysv_ipc.Semaphore(key).id == semaphore.id)
show("attributes", semaphore.value, oct(semaphore.mode), semaphore.uid == os.geteuid(), semaphore.cuid == os.geteuid(),
     semaphore.gid == os.getegid(), semaphore.cgid == os.getegid(), semaphore.last_pid == os.getpid())
show("times", abs(time.time() - semaphore.o_time) < 60)

semaphore.acquire()
semaphore.acquire(delta=1)
show("taken", semaphore.value)
semaphore.block = False
show("would block", refused(semaphore.acquire), semaphore.Z() is None)
semaphore.block = True
semaphore.release(delta=32767)
show("full", semaphore.value, refused(semaphore.release))
show("set", refused(lambda: setattr(semaphore, "value", 32768)), refused(lambda: setattr(semaphore, "value", -1)))
semaphore.value = 0
semaphore.mode = 0o600
show("mode", oct(semaphore.mode))

# Threads are served as they fit, and counted while they sleep.
done = []
threads = [threading.Thread(target=lambda n=n: (semaphore.acquire(delta=n), done.append(n))) for n in (3, 1)]
for count, thread in enumerate(threads, 1):
    thread.start()
    show("asleep", until(lambda: semaphore.waiting_for_nonzero == count))
semaphore.release()
show("the one that fits", until(lambda: done == [1]), semaphore.waiting_for_nonzero)
semaphore.release(delta=4)
show("the other", until(lambda: done == [1, 3]), semaphore.value)
zero = threading.Thread(target=semaphore.Z)
zero.start()
show("for zero", until(lambda: semaphore.waiting_for_zero == 1))
with semaphore:
    zero.join(30)
    show("zero seen", not zero.is_alive(), semaphore.value)
show("released", semaphore.value)

# A killed holder's undo wakes the sleeper.
held, holds = os.pipe()
child = os.fork()
if not child:
    mine = sysv_ipc.Semaphore(key)
    mine.undo = True
    mine.acquire()
    os.write(holds, b"x")
    time.sleep(100)
os.read(held, 1)
show("child holds", semaphore.value, semaphore.last_pid == child)
sleeper = threading.Thread(target=semaphore.acquire)
sleeper.start()
until(lambda: semaphore.waiting_for_nonzero == 1)
os.kill(child, signal.SIGKILL)
sleeper.join(30)
show("undone", not sleeper.is_alive(), os.waitpid(child, 0)[1], semaphore.value)

# A signal ends a wait; so does removal.
signal.signal(signal.SIGALRM, lambda *_: show("alarm"))
signal.alarm(1)
show("interrupted", refused(semaphore.acquire))
ends = []
sleeper = threading.Thread(target=lambda: ends.append(refused(semaphore.acquire)))
sleeper.start()
until(lambda: semaphore.waiting_for_nonzero == 1)
semaphore.remove()
sleeper.join(30)
show("removed", ends, refused(semaphore.release), refused(lambda: sysv_ipc.Semaphore(key)))

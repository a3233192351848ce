"""sysv_ipc.MessageQueue: attributes, types, errors, two processes, and threads that block."""
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


key = sysv_ipc.ftok(__file__, 7, silence_warning=True)
show("none yet", refused(lambda: sysv_ipc.MessageQueue(key)))
queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX, mode=0o640)
show("again", refused(lambda: sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX)))
show("same", sysv_ipc.MessageQueue(key).id == queue.id)

for kind in (3, 1, 2, 1):
    queue.send(f"type {kind}", type=kind)
show("count", queue.current_messages)
show(queue.receive(type=2), queue.receive(type=-3), queue.receive(), queue.receive())
show("busy", refused(lambda: queue.receive(block=False)))
show("last pids", queue.last_send_pid == os.getpid(), queue.last_receive_pid == os.getpid())
show("times", [abs(time.time() - t) < 60 for t in
               (queue.last_send_time, queue.last_receive_time, queue.last_change_time)])
show("mode", oct(queue.mode), "owner", queue.uid == os.geteuid(), queue.cuid == os.geteuid(),
     queue.gid == os.getegid(), queue.cgid == os.getegid())
show("max_size", queue.max_size)
queue.max_size = 2048
queue.mode = 0o600
show("set", queue.max_size, oct(queue.mode))
queue.send(b"x" * 2048)
show("full", refused(lambda: queue.send(b"y", block=False)))

# A thread that sends into a full queue goes on when the limit is raised... which here is back to msgmnb.
sender = threading.Thread(target=lambda: queue.send(b"late", type=5))
sender.start()
time.sleep(0.2)
show("sender waits", sender.is_alive())
queue.max_size = 16384
sender.join(20)
show("sender goes on", not sender.is_alive(), queue.receive(type=5))
queue.receive()

child = os.fork()
if not child:
    try:
        mine = sysv_ipc.MessageQueue(key)
        while True:
            question, _ = mine.receive(type=10)
            mine.send(question.upper(), type=20)
    except sysv_ipc.ExistentialError:
        os._exit(0)
    finally:
        os._exit(1)
for i in range(200):
    queue.send(f"question {i}", type=10)
    answer, _ = queue.receive(type=20)
    assert answer == f"QUESTION {i}".encode(), answer
show("answered", answer)
show("by the child", queue.last_send_pid == child)
queue.remove()
show("child", os.waitpid(child, 0)[1])
show("gone", refused(lambda: queue.send(b"x")), refused(lambda: sysv_ipc.MessageQueue(key)))

# A signal ends a wait.
queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
signal.signal(signal.SIGALRM, lambda *_: show("alarm"))
signal.alarm(1)
show("interrupted", refused(queue.receive))
queue.remove()

"""posix_ipc.MessageQueue: priorities, timeouts, notification, and select, poll and epoll on its descriptor."""
import fcntl
import os
import posix_ipc
import select
import signal
import threading
import time

NAME = "/usipc-clients-python"


def show(*words):
    print(*words, flush=True)


def refused(call):
    try:
        return call()
    except (posix_ipc.Error, OSError, ValueError) as error:
        return type(error).__name__


def readiness(mqd):
    """What select, poll and epoll say at once: (readable, writable) from each."""
    readable, writable, _ = select.select([mqd], [mqd], [], 0)
    poll = select.poll()
    poll.register(mqd, select.POLLIN | select.POLLOUT)
    polled = dict(poll.poll(0)).get(mqd, 0)
    with select.epoll() as epoll:
        epoll.register(mqd, select.EPOLLIN | select.EPOLLOUT)
        epolled = dict(epoll.poll(0)).get(mqd, 0)
    return [(bool(readable), bool(writable)),
            (bool(polled & select.POLLIN), bool(polled & select.POLLOUT)),
            (bool(epolled & select.EPOLLIN), bool(epolled & select.EPOLLOUT))]


def open_and_attributes():
    show("none yet", refused(lambda: posix_ipc.MessageQueue(NAME)))
    queue = posix_ipc.MessageQueue(NAME, posix_ipc.O_CREX, mode=0o640, max_messages=3, max_message_size=64)
    show("again", refused(lambda: posix_ipc.MessageQueue(NAME, posix_ipc.O_CREX)))
    show("attributes", queue.max_messages, queue.max_message_size, queue.current_messages, queue.block)
    show("close-on-exec", bool(fcntl.fcntl(queue.mqd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC))
    return queue


def priorities(queue):
    for priority in (1, 31, 1):
        queue.send(f"priority {priority}", priority=priority)
    show("full", refused(lambda: queue.send(b"x", timeout=0)), refused(lambda: queue.send(b"x", timeout=0.1)))
    show("too long", refused(lambda: queue.send(b"x" * 65)))
    show(queue.receive(), queue.receive(), queue.receive())
    show("empty", refused(lambda: queue.receive(timeout=0)), refused(lambda: queue.receive(timeout=0.1)))
    queue.block = False
    show("would block", queue.block, refused(queue.receive))
    show("of the open description", posix_ipc.MessageQueue(NAME).block)
    queue.block = True
    show("priority too high", refused(lambda: queue.send(b"x", priority=32768)))


def polling(queue):
    show("empty", readiness(queue.mqd))
    queue.send(b"one")
    show("one", readiness(queue.mqd))
    queue.send(b"two")
    queue.send(b"three")
    show("full", readiness(queue.mqd))
    queue.receive()
    show("two", readiness(queue.mqd))
    queue.receive()
    queue.receive()
    show("empty", readiness(queue.mqd))


def late_sender(queue):
    child = os.fork()
    if not child:
        mine = posix_ipc.MessageQueue(NAME)
        time.sleep(0.2)
        mine.send(b"from the child", priority=5)
        os._exit(0)
    return child


def waits(queue):
    """Asleep in select, poll and epoll until another process, which never polls, sends."""
    child = late_sender(queue)
    show("select", select.select([queue.mqd], [], [], 30)[0] == [queue.mqd], queue.receive(timeout=0))
    os.waitpid(child, 0)
    child = late_sender(queue)
    poll = select.poll()
    poll.register(queue.mqd, select.POLLIN)
    show("poll", poll.poll(30000) == [(queue.mqd, select.POLLIN)], queue.receive(timeout=0))
    os.waitpid(child, 0)
    with select.epoll() as epoll:
        epoll.register(queue.mqd, select.EPOLLIN)
        for turn in range(2):
            child = late_sender(queue)
            show("epoll", epoll.poll(30) == [(queue.mqd, select.EPOLLIN)], queue.receive(timeout=0))
            os.waitpid(child, 0)
            show("then nothing", epoll.poll(0))


def notify_by_signal(queue):
    came = threading.Event()
    signal.signal(signal.SIGUSR1, lambda number, frame: came.set())
    queue.request_notification(signal.SIGUSR1)
    other = os.fork()
    if not other:
        show("second registrant", refused(lambda: posix_ipc.MessageQueue(NAME).request_notification(signal.SIGUSR2)))
        os._exit(0)
    os.waitpid(other, 0)
    child = late_sender(queue)
    deadline = time.time() + 30
    while not came.is_set() and time.time() < deadline:
        time.sleep(0.01)
    show("by signal", came.is_set(), queue.receive(timeout=0))
    os.waitpid(child, 0)
    came.clear()
    queue.send(b"registered no more")
    time.sleep(0.1)
    show("once only", came.is_set(), queue.receive(timeout=0))


def notify_by_thread(queue):
    came = threading.Event()
    heard = []

    def callback(argument):
        heard.append((argument, threading.current_thread() is threading.main_thread()))
        came.set()

    queue.request_notification((callback, "argument"))
    child = late_sender(queue)
    show("by thread", came.wait(30), heard, queue.receive(timeout=0))
    os.waitpid(child, 0)
    queue.request_notification(signal.SIGUSR1)
    queue.request_notification(None)
    queue.request_notification(signal.SIGUSR1)
    queue.request_notification(None)
    show("taken back")


def removal(queue):
    mqd = os.dup(queue.mqd)
    posix_ipc.unlink_message_queue(NAME)
    queue.send(b"after unlink")
    show("unlinked", queue.receive(), refused(lambda: posix_ipc.MessageQueue(NAME)))
    queue.close()
    os.close(mqd)
    show("closed", refused(lambda: queue.send(b"x")))
    queue = posix_ipc.MessageQueue(None, posix_ipc.O_CREX)
    show("named by the module", queue.name.startswith("/"))
    queue.unlink()


queue = open_and_attributes()
for part in (priorities, polling, waits, notify_by_signal, notify_by_thread, removal):
    show("==", part.__name__)
    part(queue)

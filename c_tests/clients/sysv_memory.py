"""sysv_ipc.SharedMemory: sizes, attachments, addresses, read-only, buffers, another process, removal."""
import os
import signal
import sysv_ipc
import time


def show(*words):
    print(*words, flush=True)


def refused(call):
    try:
        return call()
    except (sysv_ipc.Error, OSError, ValueError) as error:
        return type(error).__name__


def state(memory):
    return memory.size, memory.number_attached, memory.attached, oct(memory.mode)


key = sysv_ipc.ftok(__file__, 8, silence_warning=True)
show("none yet", refused(lambda: sysv_ipc.SharedMemory(key)))
memory = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, mode=0o640, size=12345, init_character=b".")
show("again", refused(lambda: sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX)))
show("too large", refused(lambda: sysv_ipc.SharedMemory(key, 0, size=12346)))
show("state", state(memory), memory.read(3), memory.read(3, 12342))
show("owner", memory.uid == os.geteuid(), memory.cuid == os.geteuid(),
     memory.gid == os.getegid(), memory.cgid == os.getegid())
show("pids", memory.creator_pid == os.getpid(), memory.last_pid == os.getpid())
show("times", abs(time.time() - memory.last_attach_time) < 60, memory.last_detach_time,
     abs(time.time() - memory.last_change_time) < 60)
memory.write(b"bytes", 12340)
show("beyond", refused(lambda: memory.write(b"x" * 6, 12340)), memory.read(0, 12340))

# Once more at another address, then read-only.
other = sysv_ipc.attach(memory.id)
show("twice", state(memory), other.address != memory.address, other.read(5, 12340))
other.detach()
show("detached", state(memory), refused(lambda: other.read(1)), abs(time.time() - memory.last_detach_time) < 60)
reader = sysv_ipc.attach(memory.id, flags=sysv_ipc.SHM_RDONLY)
show("read-only", reader.read(5, 12340), refused(lambda: reader.write(b"x")))
reader.detach()
address = memory.address
memory.detach()
show("by none", refused(lambda: memory.read(1)))
memory.attach(address=address)
show("at the same address", memory.address == address, state(memory))
memory.detach()
memory.attach(address=address + 100, flags=sysv_ipc.SHM_RND)
show("rounded", memory.address == address, refused(lambda: sysv_ipc.attach(memory.id, address=address + 100)))
show("over itself", refused(lambda: sysv_ipc.attach(memory.id, address=address)))

# Through the buffer interface.
view = memoryview(memory)
view[:4] = b"view"
show("buffer", bytes(view[:6]), len(view))
view.release()

# What forks and ends.
for end in ("exit", "kill", "exec"):
    told, tells = os.pipe()
    asked, asks = os.pipe()
    child = os.fork()
    if not child:
        os.close(asks)
        mine = sysv_ipc.SharedMemory(key)
        mine.write(end.encode() + b" ", 0)
        os.write(tells, b"x")
        os.read(asked, 1)
        if end == "exec":
            os.execvp("true", ["true"])
        os._exit(0)
    os.read(told, 1)
    show(end, state(memory), memory.last_pid == child)
    if end == "kill":
        os.kill(child, signal.SIGKILL)
    os.close(asks)
    show("then", os.waitpid(child, 0)[1], memory.read(5), state(memory), memory.last_pid == child)
    for descriptor in (told, tells, asked):
        os.close(descriptor)

# Removed: no key any more, but whoever knows the identifier can still attach.
memory.remove()
show("removed", memory.number_attached, refused(lambda: sysv_ipc.SharedMemory(key)), memory.read(4))
late = sysv_ipc.attach(memory.id)
show("attached late", late.read(4), late.number_attached)
late.detach()
number = memory.id
memory.detach()
show("gone", refused(lambda: sysv_ipc.attach(number)), refused(lambda: memory.number_attached))

# Large and sparse: with IPC_CREX, the module would fill it.
large = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREAT, size=1 << 30)
large.write(b"end", (1 << 30) - 3)
show("1 GiB", large.size, large.read(3, (1 << 30) - 3), large.read(3, 1 << 29))
large.remove()
large.detach()

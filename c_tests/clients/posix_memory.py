"""posix_ipc.SharedMemory: names, sizes, mappings, another process, and names handed out by exec."""
import fcntl
import mmap
import os
import posix_ipc
import stat

NAME = "/usipc-clients-memory"


def show(*words):
    print(*words, flush=True)


def refused(call):
    try:
        return call()
    except (posix_ipc.Error, OSError, ValueError) as error:
        return type(error).__name__


show("none yet", refused(lambda: posix_ipc.SharedMemory(NAME)))
os.umask(0o022)
memory = posix_ipc.SharedMemory(NAME, posix_ipc.O_CREX, mode=0o666, size=10000)
show("again", refused(lambda: posix_ipc.SharedMemory(NAME, posix_ipc.O_CREX)))
show("bad names", refused(lambda: posix_ipc.SharedMemory("/with/slash", posix_ipc.O_CREX)),
     refused(lambda: posix_ipc.SharedMemory("/" + "x" * 300, posix_ipc.O_CREX)))
status = os.fstat(memory.fd)
show("size", memory.size, status.st_size, "mode", oct(stat.S_IMODE(status.st_mode)), stat.S_ISREG(status.st_mode),
     status.st_uid == os.geteuid(), "links", status.st_nlink)
show("close-on-exec", bool(fcntl.fcntl(memory.fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC),
     fcntl.fcntl(memory.fd, fcntl.F_GETFL) & os.O_ACCMODE)

with mmap.mmap(memory.fd, memory.size) as mapped:
    show("zeros", mapped[:] == bytes(10000))
    child = os.fork()
    if not child:
        mine = posix_ipc.SharedMemory(NAME)
        with mmap.mmap(mine.fd, mine.size) as also:
            also[9990:9995] = b"child"
        os._exit(0)
    show("child", os.waitpid(child, 0)[1], mapped[9990:9995])
    os.ftruncate(memory.fd, 20000)
    show("grown", posix_ipc.SharedMemory(NAME).size)

reader = posix_ipc.SharedMemory(NAME, read_only=True)
with mmap.mmap(reader.fd, 0, prot=mmap.PROT_READ) as mapped:
    show("read-only", len(mapped), mapped[9990:9995])
show("not writable", refused(lambda: mmap.mmap(reader.fd, 0)), refused(lambda: os.ftruncate(reader.fd, 1)))
reader.close_fd()
show("closed", refused(lambda: os.fstat(memory.fd + 0).st_size), reader.fd)

memory.unlink()
show("unlinked", refused(lambda: posix_ipc.SharedMemory(NAME)), refused(memory.unlink), os.fstat(memory.fd).st_nlink)
other = posix_ipc.SharedMemory(NAME, posix_ipc.O_CREX, size=1)
show("another", other.size, memory.size)
other.close_fd()
posix_ipc.unlink_shared_memory(NAME)

# Large and sparse.
large = posix_ipc.SharedMemory(None, posix_ipc.O_CREX, size=1 << 30)
with mmap.mmap(large.fd, large.size) as mapped:
    mapped[-3:] = b"end"
    show("1 GiB", len(mapped), mapped[-3:], mapped[1 << 29])
show("sparse", os.fstat(large.fd).st_blocks * 512 < 1 << 20, large.name.startswith("/"))
large.close_fd()
large.unlink()

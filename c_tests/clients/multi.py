"""multiprocessing, by the start method that is named: its locks are POSIX semaphores, SharedMemory is shm_open's."""
import multiprocessing
import multiprocessing.shared_memory
import os
import signal
import sys
import time


def show(*words):
    print(*words, flush=True)


def count(lock, value, times):
    for _ in range(times):
        with lock:
            value.value += 1


def count_twice_locked(lock, value, times):
    for _ in range(times):
        with lock, lock:
            value.value += 1


def locks(context):
    for kind, work in ((context.Lock, count), (context.RLock, count_twice_locked)):
        lock = kind()
        value = context.Value("i", 0, lock=False)
        workers = [context.Process(target=work, args=(lock, value, 500)) for _ in range(4)]
        run(workers)
        show(value.value)
    lock = context.Lock()
    lock.acquire()
    show("held", lock.acquire(block=False), lock.acquire(timeout=0.1))


def run(workers):
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    show("ended", [worker.exitcode for worker in workers])


def inside(semaphore, now, most, turns):
    for _ in range(turns):
        with semaphore:
            with now.get_lock():
                now.value += 1
                most.value = max(most.value, now.value)
            time.sleep(0.005)
            with now.get_lock():
                now.value -= 1


def semaphores(context):
    semaphore, now, most = context.BoundedSemaphore(2), context.Value("i", 0), context.Value("i", 0)
    run([context.Process(target=inside, args=(semaphore, now, most, 10)) for _ in range(4)])
    show("never more than", most.value <= 2, semaphore.get_value())
    try:
        semaphore.release()
        show("released too often")
    except ValueError as error:
        show(type(error).__name__)


def answer(questions, answers):
    for question in iter(questions.get, None):
        answers.put((question, question.upper()))


def queues(context):
    questions, answers = context.Queue(3), context.Queue()
    workers = [context.Process(target=answer, args=(questions, answers)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for number in range(100):
        questions.put(f"question {number}")
    heard = dict(answers.get(timeout=60) for _ in range(100))
    for _ in workers:
        questions.put(None)
    for worker in workers:
        worker.join(60)
    show("answers", len(heard), heard["question 99"], [worker.exitcode for worker in workers])
    large = context.SimpleQueue()
    sender = context.Process(target=large.put, args=(b"x" * 1000000,))
    sender.start()
    show("large", len(large.get()))
    sender.join(60)


def square(number):
    return number * number


def pools(context):
    with context.Pool(3) as pool:
        show("map", sum(pool.map(square, range(1000), chunksize=7)))
        show("async", pool.apply_async(square, (12,)).get(60), sorted(pool.imap_unordered(square, range(5))))


def meet(barrier, event, condition, met):
    barrier.wait(60)
    event.wait(60)
    with condition:
        met.value += 1
        condition.notify()


def meetings(context):
    barrier, event, condition = context.Barrier(4), context.Event(), context.Condition()
    met = context.Value("i", 0, lock=False)
    workers = [context.Process(target=meet, args=(barrier, event, condition, met)) for _ in range(3)]
    for worker in workers:
        worker.start()
    barrier.wait(60)
    show("met", met.value, event.is_set())
    event.set()
    with condition:
        show("all", condition.wait_for(lambda: met.value == 3, 60))
    for worker in workers:
        worker.join(60)


def write_into(name, array):
    memory = multiprocessing.shared_memory.SharedMemory(name)
    memory.buf[:5] = b"child"
    memory.close()
    array[:] = [n * n for n in array]


def memories(context):
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=100000)
    array = context.Array("q", range(6))
    run([context.Process(target=write_into, args=(memory.name, array))])
    show("written", bytes(memory.buf[:5]), list(array), memory.size >= 100000)
    again = multiprocessing.shared_memory.SharedMemory(memory.name)
    again.buf[-1] = 7
    show("the same", memory.buf[-1])
    again.close()
    memory.close()
    memory.unlink()
    try:
        multiprocessing.shared_memory.SharedMemory(memory.name)
    except FileNotFoundError as error:
        show(type(error).__name__)
    names = multiprocessing.shared_memory.ShareableList(["text", 1.5, None, 7])
    names[0] = "same"
    show(list(names))
    names.shm.close()
    names.shm.unlink()


def hold(lock, holds):
    lock.acquire()
    holds.set()
    time.sleep(100)


def killed(context):
    """Nobody gives back what a killed process held of a POSIX semaphore; the others go on without."""
    lock, holds = context.Lock(), context.Event()
    worker = context.Process(target=hold, args=(lock, holds))
    worker.start()
    holds.wait(60)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(60)
    show("killed", worker.exitcode, lock.acquire(timeout=0.2))
    lock.release()
    show("given back by another", lock.acquire(timeout=0.2))


if __name__ == "__main__":
    for part in (locks, semaphores, queues, pools, meetings, memories, killed):
        show("==", part.__name__)
        part(multiprocessing.get_context(sys.argv[1]))

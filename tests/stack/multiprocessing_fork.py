# timeout: 90
import multiprocessing as mp
import os

def square(n):
    return n * n, os.getpid()

context = mp.get_context("fork")
with context.Pool(3) as pool:
    done = pool.map(square, range(100))
assert [value for value, _ in done] == [n * n for n in range(100)]
assert os.getpid() not in {pid for _, pid in done}

def count(counter, lock, event, queue, end):
    event.wait()
    for _ in range(100):
        with lock:
            counter.value += 1
    queue.put(os.getpid())
    end.send(b"x" * 100_000)

counter, lock, event, queue = context.Value("i", 0), context.Lock(), context.Event(), context.Queue()
ends = [context.Pipe() for _ in range(3)]
children = [context.Process(target=count, args=(counter, lock, event, queue, end)) for _, end in ends]
for child in children:
    child.start()
event.set()
assert {queue.get(timeout=20) for _ in children} == {child.pid for child in children}
assert all(len(begin.recv()) == 100_000 for begin, _ in ends)
for child in children:
    child.join()
assert counter.value == 300 and all(child.exitcode == 0 for child in children)

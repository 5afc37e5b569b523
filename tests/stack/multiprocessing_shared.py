# timeout: 90
import multiprocessing as mp
from multiprocessing import shared_memory
from multiprocessing.managers import SharedMemoryManager
import numpy as np

def fill(name, shape):
    block = shared_memory.SharedMemory(name=name)
    np.ndarray(shape, dtype=np.int64, buffer=block.buf)[:] = 5
    block.close()

block = shared_memory.SharedMemory(create=True, size=8 * 1000)
child = mp.get_context("fork").Process(target=fill, args=(block.name, (1000,)))
child.start()
child.join()
array = np.ndarray((1000,), dtype=np.int64, buffer=block.buf)
assert child.exitcode == 0 and array.sum() == 5000
del array
block.close()
block.unlink()
with SharedMemoryManager() as manager:
    assert list(manager.ShareableList([1, "two", 3.0])) == [1, "two", 3.0]
with mp.Manager() as manager:
    shared = manager.dict(a=1)
    shared["b"] = 2
    assert dict(shared) == {"a": 1, "b": 2}

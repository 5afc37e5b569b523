import mmap
import os
with open("/mnt/data/mapped", "w+b") as file:
    file.truncate(4 * mmap.PAGESIZE)
    with mmap.mmap(file.fileno(), 0) as memory:
        memory[0:5] = b"hello"
        memory.flush()
        memory.madvise(mmap.MADV_DONTNEED)
        assert memory.find(b"llo") == 2
        memory.resize(8 * mmap.PAGESIZE)
    assert os.stat("/mnt/data/mapped").st_size == 8 * mmap.PAGESIZE
shared = mmap.mmap(-1, mmap.PAGESIZE)
if (child := os.fork()) == 0:
    shared[0] = 42
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and shared[0] == 42
file = os.memfd_create("kept")
os.write(file, b"x")
assert os.fstat(file).st_size == 1

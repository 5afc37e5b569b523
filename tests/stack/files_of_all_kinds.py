import fcntl
import os
import time
os.chdir("/mnt/data")
with open("a", "wb") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
    file.write(b"x" * 10_000)
    file.flush()
    os.fsync(file)
    os.fdatasync(file)
    os.posix_fallocate(file.fileno(), 0, 20_000)
    file.truncate(5_000)
assert os.stat("a").st_size == 5_000
source, target = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR | os.O_CREAT)
assert os.sendfile(target, source, 0, 5_000) == 5_000
assert os.copy_file_range(source, target, 1_000, 0, 0) == 1_000
assert os.preadv(source, [bytearray(10), bytearray(10)], 0) == 20
os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
os.utime("b", (1, 2))
os.chmod("b", 0o400)
assert os.stat("b").st_mtime == 2
os.rename("b", "c")
os.replace("c", "d")
os.mkfifo("pipe")
if (child := os.fork()) == 0:
    open("pipe", "w").write("through")
    os._exit(0)
assert open("pipe").read() == "through" and os.waitpid(child, 0)
with os.scandir(".") as entries:
    assert {entry.name for entry in entries} == {"a", "d", "pipe"}
assert os.statvfs(".").f_bavail > 0 and os.access("a", os.W_OK)

# expect: OSError EPERM  (not even one's own child)
import ctypes, os, time
pid = os.fork()
if pid == 0:
    time.sleep(5)
    os._exit(0)
result = ctypes.CDLL(None, use_errno=True).syscall(101, 16, pid, 0, 0)
number = ctypes.get_errno()
os.kill(pid, 9)
os.waitpid(pid, 0)
if result < 0:
    raise OSError(number, os.strerror(number))

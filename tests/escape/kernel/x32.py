# expect: prints held  (nor the x32 table)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pid = os.fork()
if pid == 0:
    os._exit(7 if libc.syscall(0x40000000 | 39) > 0 else 0)
status = os.waitpid(pid, 0)[1]
print("held" if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7) else "an x32 call worked")

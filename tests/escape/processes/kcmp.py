# expect: OSError EPERM  (reveals kernel addresses)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(312, os.getpid(), os.getpid(), 0, 0, 1) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

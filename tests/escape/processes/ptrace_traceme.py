# expect: OSError EPERM  (no debugging)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(101, 0, 0, 0, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

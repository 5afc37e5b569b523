# expect: OSError EPERM  (the clock is everybody's)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(164, None, (ctypes.c_int * 2)()) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

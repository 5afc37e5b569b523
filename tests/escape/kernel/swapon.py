# expect: OSError EPERM  (not a guest's business)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(167, b"/mnt/data/x", 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

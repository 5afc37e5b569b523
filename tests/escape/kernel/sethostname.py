# expect: OSError EPERM  (not even its own)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(170, b"x", 1) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

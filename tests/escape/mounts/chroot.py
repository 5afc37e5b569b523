# expect: OSError EPERM  (the classic way out)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(161, b"/mnt/data") < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

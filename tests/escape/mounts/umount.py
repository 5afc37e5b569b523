# expect: OSError EPERM  (nor taken away)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(166, b"/proc", 2) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

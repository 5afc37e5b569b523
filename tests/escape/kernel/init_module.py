# expect: OSError EPERM  (more kernel)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(175, None, 0, b"") < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM  (another kernel)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(246, 0, 0, None, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

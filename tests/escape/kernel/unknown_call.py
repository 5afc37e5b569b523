# expect: OSError ENOSYS  (what a newer C library expects)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(500) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

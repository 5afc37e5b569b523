# expect: OSError EPERM  (measures others)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(298, (ctypes.c_char * 120)(), 0, -1, -1, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

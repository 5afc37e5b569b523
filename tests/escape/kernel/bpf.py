# expect: OSError EPERM  (no programs in the kernel)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(321, 0, (ctypes.c_char * 128)(), 128) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

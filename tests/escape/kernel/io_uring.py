# expect: OSError ENOSYS or EPERM  (a second way to nearly every call)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(425, 8, (ctypes.c_char * 120)()) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

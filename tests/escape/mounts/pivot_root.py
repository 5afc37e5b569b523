# expect: OSError EPERM  (nor exchanged)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(155, b"/", b"/mnt") < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

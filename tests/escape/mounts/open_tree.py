# expect: OSError EPERM or ENOSYS  (the new mount calls)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(428, -100, b"/", 1) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

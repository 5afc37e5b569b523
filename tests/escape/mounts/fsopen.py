# expect: OSError EPERM or ENOSYS  (the new mount calls)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(430, b"tmpfs", 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(438, os.pidfd_open(os.getpid()), 1, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

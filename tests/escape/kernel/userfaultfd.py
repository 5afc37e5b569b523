# expect: OSError EPERM or ENOSYS  (makes races in the kernel winnable)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(323, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

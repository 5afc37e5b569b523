# expect: OSError EPERM or ENOSYS  (ports of the machine)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(172, 3) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

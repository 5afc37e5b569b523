# expect: OSError EPERM or ENOSYS  (watches others' files)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(300, 0, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

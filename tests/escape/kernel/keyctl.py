# expect: OSError EPERM or ENOSYS  (keyrings cross sandboxes)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(250, 0, -3, 1) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

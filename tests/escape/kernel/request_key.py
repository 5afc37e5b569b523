# expect: OSError EPERM or ENOSYS  (keyrings cross sandboxes)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(249, b"user", b"name", None, -3) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

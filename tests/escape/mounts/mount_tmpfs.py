# expect: OSError EPERM  (nothing is mounted in a running session)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(165, b"none", b"/mnt", b"tmpfs", 0, None) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

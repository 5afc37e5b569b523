# expect: OSError EPERM
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(133, b"/mnt/data/null", ctypes.c_ulong((1 << 40) | 0o20666), ctypes.c_ulong(0x103)) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

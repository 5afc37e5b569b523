# expect: OSError EPERM  (would switch address randomisation off)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(135, 0x0040000) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

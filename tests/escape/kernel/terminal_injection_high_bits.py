# expect: OSError EPERM or ENOTTY or EACCES
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(16, 0, ctypes.c_ulong((1 << 40) | 0x5412), b"x") < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM or EACCES or EAFNOSUPPORT  (the kernel looks at the lower half only, so must the filter)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(41, ctypes.c_ulong(0xdeadbeef00000010), ctypes.c_ulong(3), ctypes.c_ulong(0)) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

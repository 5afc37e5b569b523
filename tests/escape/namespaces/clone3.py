# expect: OSError ENOSYS  (its flags lie in memory; the C library falls back only on ENOSYS)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(435, (ctypes.c_char * 88)(), 88) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

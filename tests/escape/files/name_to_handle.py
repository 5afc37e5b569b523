# expect: OSError EPERM or ENOSYS  (the first half of the same)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(303, -100, b"/", (ctypes.c_uint32 * 34)(128), (ctypes.c_int * 1)(), 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

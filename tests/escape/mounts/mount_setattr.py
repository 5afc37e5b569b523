# expect: OSError EPERM or ENOSYS  (would make the root writable)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(442, -100, b"/", 0, (ctypes.c_char * 32)(), 32) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM or ENOSYS  (a favourite of exploits)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(154, 0, ctypes.create_string_buffer(64), 64) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

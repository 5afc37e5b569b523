# expect: OSError EPERM  (kernel messages name addresses)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(103, 3, ctypes.create_string_buffer(64), 64) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

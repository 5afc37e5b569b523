# expect: OSError EPERM  (huge pages lie outside the memory limit)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
if libc.mmap(None, 2 << 20, 3, 0x40022, -1, 0) == ctypes.c_void_p(-1).value:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
data = (ctypes.c_uint32 * 6)(1 << 21, 1 << 21, 0, 0, 0, 0)
if libc.capset(header, data) < 0:
    raise OSError(ctypes.get_errno(), "capset")

# expect: OSError EPERM or ENOSYS  (the "shocker" way to any file of a file system)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
handle = (ctypes.c_uint32 * 34)(8, 1, 2, 0)
if libc.syscall(304, os.open("/", os.O_RDONLY), handle, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

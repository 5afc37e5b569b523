# expect: OSError EPERM  (it would flush the machine's own file systems; os.sync reports no error, the call does)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(162) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM or EINVAL  (CLONE_NEWUSER)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pid = libc.syscall(56, ctypes.c_ulong(0x10000000 | 17), None, None, None, None)
if pid == 0:
    os._exit(0)
if pid < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM  (a child by CLONE_PARENT is the broker's, which would have to reap it)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pid = libc.syscall(56, ctypes.c_ulong((1 << 40) | 0x8000 | 17), None, None, None, None)
if pid == 0:
    os._exit(0)
if pid < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: OSError EPERM
import ctypes, os
fd = os.pidfd_open(os.getpid())
if ctypes.CDLL(None, use_errno=True).setns(fd, 0x20000) < 0:
    raise OSError(ctypes.get_errno(), "setns")

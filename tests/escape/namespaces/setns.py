# expect: OSError EPERM
import ctypes, os
fd = os.open("/proc/self/ns/user", os.O_RDONLY)
if ctypes.CDLL(None, use_errno=True).setns(fd, 0) < 0:
    raise OSError(ctypes.get_errno(), "setns")

# expect: OSError EPERM  (a session has no user namespaces of its own)
import ctypes
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) < 0:
    raise OSError(ctypes.get_errno(), "unshare")

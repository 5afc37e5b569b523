# expect: OSError EPERM  (SO_PEERPIDFD of the control channel names a process outside the session)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
size = ctypes.c_int(4)
found = ctypes.c_int(-1)
if libc.getsockopt(1000, 1, 77, ctypes.byref(found), ctypes.byref(size)) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

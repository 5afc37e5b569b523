# expect: OSError ENOSYS  (the machine has few instances for all sessions, and a watch on /usr shows what others do)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.inotify_init1(0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

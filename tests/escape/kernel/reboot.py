# expect: OSError EPERM  (Ctrl-Alt-Del off)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(169, 0xfee1dead, 672274793, 0x89abcdef, 0) < 0:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

# expect: prints held
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
kinds = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
made = [hex(kind) for kind in kinds if libc.unshare(kind) == 0]
print("held" if not made else made)

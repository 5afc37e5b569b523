# expect: prints held  (UNIX, INET and INET6 are the only families)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
open_families = [family for family in range(3, 64) if family != 10
                 for kind in range(1, 7) if libc.socket(family, kind, 0) >= 0]
print("held" if not open_families else open_families)

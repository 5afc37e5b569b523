import ctypes

AT_RANDOM = 25
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
seed = libc.getauxval(AT_RANDOM)
print([ctypes.string_at(seed, 16).hex(), seed, ctypes.cast(libc.printf, ctypes.c_void_p).value, id(None), libc.getauxval(3)])

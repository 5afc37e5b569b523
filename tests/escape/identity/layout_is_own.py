# expect: prints 5 of 5 are another  (the kernel's seed for the stack canary; stack, library, heap and program)
# start: exec  (forks share all of it, until their zygote is replaced)
import ast
import ctypes

AT_RANDOM = 25
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
seed = libc.getauxval(AT_RANDOM)
own = [ctypes.string_at(seed, 16).hex(), seed, ctypes.cast(libc.printf, ctypes.c_void_p).value, id(None), libc.getauxval(3)]
print(sum(mine != other for mine, other in zip(own, ast.literal_eval(BESIDE))), "of 5 are another")

# expect: OSError EACCES  (a ruleset of the guest's own that allows everything takes nothing back)
import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result


rights = (1 << 13) - 1
ruleset = call(444, ctypes.byref(ctypes.c_uint64(rights)), 8, 0)
root = os.open("/", os.O_PATH)
call(445, ruleset, 1, struct.pack("=QI", rights, root), 0)
libc.prctl(38, 1, 0, 0, 0)
try:
    call(446, ruleset, 0)
except OSError as error:
    raise RuntimeError("a guest may not use Landlock") from error
open("/dev/urandom", "wb", buffering=0)

# expect: prints held  (a guest may lock a program of its own in further, and never out again)
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result


def restrict():
    every_right_of_the_first_version = ctypes.c_uint64((1 << 13) - 1)
    ruleset = call(444, ctypes.byref(every_right_of_the_first_version), 8, 0)
    call(446, ruleset, 0)


open("/mnt/data/file", "w").close()
child = os.fork()
if child == 0:
    restrict()
    try:
        open("/mnt/data/file")
    except PermissionError:
        os._exit(7)
    os._exit(1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("held" if status == 7 and open("/mnt/data/file").read() == "" else status)

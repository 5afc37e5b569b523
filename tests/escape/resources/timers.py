# expect: prints True  (timers count against the machine's root: a session gets 256)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
count = 0
timer = ctypes.c_void_p()
while count < 5000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
    count += 1
print(count <= 256)

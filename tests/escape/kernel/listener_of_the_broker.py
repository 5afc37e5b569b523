# expect: prints []  (nothing that asks or answers about calls is open in the interpreter or to be had from others)
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = []
for fd in os.listdir("/proc/self/fd"):
    try:
        name = os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        continue
    if "seccomp" in name or int(fd) > 1000:
        found.append((fd, name))
for pid in (1, os.getpid()):
    pidfd = libc.syscall(434, pid, 0)
    for fd in list(range(64)) + [1000, 1001, 1002]:
        if pidfd >= 0 and libc.syscall(438, pidfd, fd, 0) >= 0 and (pid == 1 or fd > 1000):
            found.append((pid, fd))
print(found)

# expect: survives  (a frame has at most 64 KiB)
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    try:
        os.write(fd, b"x" * 200000)
    except OSError:
        pass

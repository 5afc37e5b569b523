# expect: survives
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    for _ in range(1000):
        os.write(fd, b"")

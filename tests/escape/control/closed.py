# expect: survives  (the next call finds a fresh interpreter)
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    os.close(fd)

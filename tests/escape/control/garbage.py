# expect: survives  (frames from a guest are hostile bytes)
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    os.write(fd, os.urandom(500))

# expect: survives  (a child that steals the next request ends with its interpreter)
# afterwards: after failures
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

if os.fork() == 0:
    os.setsid()
    for fd in channels:
        os.read(fd, 65536)
    os._exit(0)

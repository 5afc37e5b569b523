# expect: survives  (nobody else's frames come this way)
# afterwards: after failures
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    with socket.socket(fileno=os.dup(fd)) as channel:
        channel.setblocking(False)
        try:
            channel.recv(65536)
        except OSError:
            pass

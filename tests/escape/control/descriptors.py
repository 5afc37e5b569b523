# expect: survives  (descriptors from a guest are closed, not kept)
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
        for _ in range(50):
            try:
                socket.send_fds(channel, [struct.pack("<IHHQ", 0x314C5053, 7, 0, 1)], [0] * 200)
            except OSError:
                break

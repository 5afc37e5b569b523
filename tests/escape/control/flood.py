# expect: survives  (the front reads at its own pace and keeps nothing of it)
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
        channel.settimeout(2)
        try:
            for _ in range(20000):
                channel.send(struct.pack("<IHHQ", 0x314C5053, 5, 0, 1) + bytes(40000))
        except OSError:
            pass

# expect: survives  (well-formed frames of every kind with the wrong nonce)
import os, socket, struct
channels = []
for fd in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            channels.append(int(fd))
    except FileNotFoundError:
        pass

for fd in channels:
    for kind in range(1, 60):
        for tag in (0, 1, 2**64 - 1):
            os.write(fd, struct.pack("<IHHQ", 0x314C5053, kind, 0, tag) + bytes(24))

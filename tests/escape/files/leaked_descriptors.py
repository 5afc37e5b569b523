# expect: prints held  (streams and one channel; no directory, no file of the host)
import os
odd, sockets = [], 0
for fd in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        continue
    sockets += target.startswith("socket:")
    if target.startswith("/") and target != "/dev/null" and not target.startswith("/proc/"):
        odd.append((fd, target))
print("held" if not odd and sockets <= 1 else (odd, sockets))

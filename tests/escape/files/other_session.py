# expect: OSError ENOENT  (/mnt/data and /tmp are each session's own)
import os
for place in ("/mnt/data", "/tmp", "/dev/shm"):
    if os.path.exists(f"{place}/{BESIDE.strip()}"):
        raise SystemExit("seen")
os.stat("/mnt/data/" + BESIDE.strip())

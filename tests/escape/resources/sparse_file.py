# expect: survives  (its size is a number, not memory)
import os
with open("/mnt/data/sparse", "wb") as file:
    try:
        os.ftruncate(file.fileno(), 1 << 50)
    except OSError:
        pass

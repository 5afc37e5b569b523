# expect: OSError EPERM or EINVAL
import os
open("/mnt/data/mine", "w").close()
os.chown("/mnt/data/mine", 0, 0)

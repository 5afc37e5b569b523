# expect: OSError ENOENT  (the image does not hold it)
import os
os.stat("/proc/sysrq-trigger")

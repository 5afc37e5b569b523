# expect: OSError EPERM or EINVAL
import os
os.setuid(0)

# expect: OSError EPERM
import os
os.setgroups([0])

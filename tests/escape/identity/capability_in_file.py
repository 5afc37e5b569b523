# expect: OSError EPERM or EOPNOTSUPP or ENOTSUP
import os, struct
open("/mnt/data/tool", "w").close()
os.setxattr("/mnt/data/tool", "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))

# expect: OSError EPERM
import os, stat
os.mknod("/mnt/data/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))

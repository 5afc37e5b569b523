# expect: OSError EPERM
import os, stat
os.mknod("/mnt/data/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0))

# expect: OSError ENOENT or ENXIO or EACCES
open("/dev/tty", "r+b")

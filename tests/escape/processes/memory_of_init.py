# expect: OSError ENOENT or EACCES or EPERM
open("/proc/1/mem", "r+b")

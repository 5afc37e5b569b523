# expect: OSError EROFS or EACCES or ETXTBSY or EPERM  (the interpreter is the machine's own)
open("/proc/self/exe", "r+b")

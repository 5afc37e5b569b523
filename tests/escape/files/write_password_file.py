# expect: OSError EROFS or EACCES
open("/etc/passwd", "a")

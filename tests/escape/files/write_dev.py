# expect: OSError EROFS or EACCES or EPERM
open("/dev/planted", "w")

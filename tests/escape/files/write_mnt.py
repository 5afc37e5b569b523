# expect: OSError EROFS or EACCES or EPERM
open("/mnt/planted", "w")

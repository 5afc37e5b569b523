# expect: OSError EROFS or EACCES or EPERM
open("/etc/planted", "w")

# expect: OSError EROFS or EACCES or EPERM
open("/usr/bin/planted", "w")

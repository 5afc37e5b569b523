# expect: OSError EROFS or EACCES or EPERM
open("/planted", "w")

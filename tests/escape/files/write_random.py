# expect: OSError EACCES  (the mode of the file and its mount would allow it: Landlock does not)
open("/dev/urandom", "wb", buffering=0).write(b"0")

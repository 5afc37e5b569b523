# expect: OSError EPERM or ENOTTY or EACCES  (TIOCSTI; nothing here is a terminal either)
import fcntl, os
fcntl.ioctl(os.pipe()[0], 0x5412, b"x")

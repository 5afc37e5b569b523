# expect: OSError EPERM or ESRCH
import os, signal
os.kill(1, signal.SIGKILL)

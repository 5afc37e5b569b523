# expect: OSError EPERM or ESRCH
# single-id: survives  (the kernel allows it there, and lets no signal from inside a pid namespace reach its PID 1)
import os, signal
os.kill(1, signal.SIGKILL)

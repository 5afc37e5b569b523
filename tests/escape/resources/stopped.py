# expect: fails
# timeout: 2
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)

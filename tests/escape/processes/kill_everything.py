# expect: survives  (kill(-1) reaches the session's own processes only)
import os, signal
try:
    os.kill(-1, signal.SIGKILL)
except ProcessLookupError:
    pass

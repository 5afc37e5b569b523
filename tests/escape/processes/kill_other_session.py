# expect: OSError ESRCH or EPERM  (process numbers belong to a pid namespace)
import os, signal
for pid in range(2, 40000):
    if pid != os.getpid():
        try:
            os.kill(pid, 0)
        except ProcessLookupError as error:
            last = error
        else:
            raise SystemExit(f"{pid} can be signalled")
raise last

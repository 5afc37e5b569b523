# expect: survives  (children count too)
import os
for _ in range(8):
    if os.fork() == 0:
        hoard = [b"x" * (64 << 20) for _ in range(64)]
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break

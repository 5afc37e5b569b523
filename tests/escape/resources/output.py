# expect: survives  (kept to a bound, drained without one)
import os
for _ in range(4096):
    os.write(1, b"x" * 65536)

# expect: survives
# timeout: 3
import os
while True:
    os.fork()

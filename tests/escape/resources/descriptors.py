# expect: OSError EMFILE
import os
kept = [os.dup(0) for _ in range(100000)]

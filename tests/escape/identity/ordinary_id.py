# expect: prints 1000 1000 1000 1000 []  (never 0, no supplementary groups)
import os
print(os.getuid(), os.geteuid(), os.getgid(), os.getegid(), [g for g in os.getgroups() if g != 1000])

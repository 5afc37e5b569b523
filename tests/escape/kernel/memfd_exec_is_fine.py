# expect: prints held  (running one's own programs is what sessions are for)
import os, subprocess
fd = os.memfd_create("program", 0)
os.write(fd, open("/usr/bin/echo", "rb").read())
print(subprocess.run([f"/proc/self/fd/{fd}", "held"], pass_fds=[fd], capture_output=True, text=True).stdout)

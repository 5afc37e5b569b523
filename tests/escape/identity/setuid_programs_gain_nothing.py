# expect: prints held  (nosuid everywhere and no_new_privs)
import os, shutil, subprocess
copy = "/mnt/data/id"
shutil.copy("/usr/bin/id", copy)
os.chmod(copy, 0o6755)
ids = subprocess.run([copy, "-u"], capture_output=True, text=True).stdout.strip()
weak = [path for path in ("/", "/usr", "/tmp", "/mnt/data", "/dev/shm", "/home/session")
        if not os.statvfs(path).f_flag & os.ST_NOSUID]
print("held" if ids == "1000" and not weak else (ids, weak))
